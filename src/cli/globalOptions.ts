import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { TesseraError } from '../base/errors.ts';
import { LOG_LEVELS, type LogLevel } from '../base/logger.ts';
import { parseDeviceNames } from '../protocol/deviceNames.ts';
import { BUNDLED_MODEL, type DeviceName, LATENCY_CEILING_MS } from '../protocol/embedder.ts';
import { DEFAULT_MAX_FILE_BYTES, type IndexSettings } from '../protocol/server.ts';
import { packageRoot } from './packagePlaces.ts';

/** Options every command takes, before or after its name. */
export interface GlobalOptions {
  readonly indexDir?: string;
  readonly model: string;
  /** Where the model runs, in the order in which devices were named; `auto` when left out. */
  readonly devices?: readonly [DeviceName, ...DeviceName[]];
  readonly logLevel: LogLevel;
}

export function addGlobalOptions(program: Command): Command {
  return program
    .option('--index-dir <dir>', 'where indexes are kept (default: the user’s cache folder)')
    .option(
      '--model <name-or-folder>',
      'a bundled model, or a folder with tokenizer.json and onnx/model.onnx',
      BUNDLED_MODEL,
    )
    .option(
      '--device <names>',
      'where the model runs: auto, cpu, webgpu, cuda, cuda:1, … or several as in cuda:0,cuda:1',
      'auto',
    )
    .option('--log-level <level>', `what is logged to stderr: ${LOG_LEVELS.join(', ')}`, 'off');
}

export function globalOptions(command: Command): GlobalOptions {
  const options = command.optsWithGlobals<Record<string, unknown>>();
  const logLevel = LOG_LEVELS.find((level) => level === options['logLevel']);
  if (logLevel === undefined) {
    throw usageError(`--log-level is one of ${LOG_LEVELS.join(', ')}, not ${String(options['logLevel'])}.`);
  }
  const indexDir = options['indexDir'];
  if (indexDir === '') throw usageError('--index-dir is empty; name the folder indexes are kept in, or leave it out.');
  return {
    ...(typeof indexDir === 'string' ? { indexDir: path.resolve(indexDir) } : {}),
    model: modelFolder(String(options['model'])),
    devices: parseDeviceNames(String(options['device']), '--device'),
    logLevel,
  };
}

/** A folder when the name is one (or looks like one), else the bundled model of that name. */
function modelFolder(nameOrFolder: string): string {
  const bundled = path.join(packageRoot(), 'models', nameOrFolder);
  // `synthetic:SIZE` is a model `bench` makes itself.
  if (nameOrFolder.startsWith('synthetic:')) return nameOrFolder;
  const isPath = nameOrFolder.includes('/') || nameOrFolder.includes(path.sep);
  return isPath || !existsSync(bundled) ? path.resolve(nameOrFolder) : bundled;
}

/** What the command line indexes with; the extension's defaults are the same. Files are those VS Code indexed with its settings, where it did. */
export function indexSettings({ model, devices = ['auto'] }: GlobalOptions): IndexSettings {
  return {
    embedder: {
      models: { code: model, docs: model },
      device: devices[0],
      ...(devices.length > 1 ? { devices } : {}),
      threads: 0,
      sessions: 0,
      batchSize: 0,
      memoryCeilingMb: 0,
      latencyCeilingMs: LATENCY_CEILING_MS,
      tunerStateFile: null,
    },
    maxFileBytes: DEFAULT_MAX_FILE_BYTES,
    exclude: [],
    useIgnoreFiles: true,
    yieldsToIndex: true,
  };
}

/** The folder a command is about, absolute. */
export function folderArgument(dir: string | undefined): string {
  const folder = path.resolve(dir ?? '.');
  if (!existsSync(folder)) throw usageError(`There is no folder ${folder}; name an existing one.`);
  if (!statSync(folder).isDirectory()) throw usageError(`${folder} is not a folder; name the folder it is in.`);
  return folder;
}

/** A whole number of at least 1, for `-k`. */
export function countOption(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw usageError(`-k is a whole number of at least 1, not ${text}.`);
  return count;
}

export function usageError(message: string): TesseraError {
  return new TesseraError('invalid-argument', message);
}
