import { join } from 'node:path';
import * as vscode from 'vscode';
import { BUNDLED_MODEL, LATENCY_CEILING_MS, type EmbedderSettings } from '../../protocol/embedder.ts';
import { DEFAULT_MAX_FILE_BYTES, type IndexSettings } from '../../protocol/server.ts';
import { enabledGlobs } from '../searching/filterText.ts';
import type { DeviceSetting } from './deviceSetting.ts';

/** Folders the extension itself brings or owns. */
export interface ExtensionFolders {
  readonly extensionPath: string;
  /** Survives sessions, belongs to the machine. */
  readonly globalStoragePath: string;
}

export interface FolderSettings {
  readonly indexDir: string | null;
  readonly settings: IndexSettings;
}

/** What a person set for one workspace folder, in the form the index server takes. */
export function readFolderSettings(
  folder: vscode.Uri,
  folders: ExtensionFolders,
  device: DeviceSetting,
): FolderSettings {
  const tessera = vscode.workspace.getConfiguration('tessera', folder);
  const location = tessera.get('index.location', '').trim();
  return {
    indexDir: location === '' ? null : location,
    settings: {
      embedder: readEmbedderSettings(tessera, folders, device),
      maxFileBytes: tessera.get('index.maxFileSizeKb', DEFAULT_MAX_FILE_BYTES / 1024) * 1024,
      exclude: [
        ...globsOf('files', 'exclude', folder),
        ...globsOf('search', 'exclude', folder),
        ...globsOf('tessera', 'exclude', folder),
      ],
      useIgnoreFiles: tessera.get('index.useIgnoreFiles', true),
    },
  };
}

/** Globs of files hidden from hits in a folder. */
export function readHiddenGlobs(folder: vscode.Uri): readonly string[] {
  return [
    ...globsOf('files', 'exclude', folder),
    ...globsOf('search', 'exclude', folder),
    ...globsOf('tessera', 'search.exclude', folder),
  ].flatMap((glob) => [glob, `${glob}/**`]);
}

/** Settings that, when changed, make an index differ from what it should be. */
export const INDEX_SECTIONS = [
  'tessera.enabled',
  'tessera.exclude',
  'tessera.index',
  'tessera.model',
  'tessera.embedder',
  'files.exclude',
  'search.exclude',
] as const;

function readEmbedderSettings(
  tessera: vscode.WorkspaceConfiguration,
  folders: ExtensionFolders,
  device: DeviceSetting,
): EmbedderSettings {
  const bundled = join(folders.extensionPath, 'models', BUNDLED_MODEL);
  const code = tessera.get('model.code', '').trim();
  const docs = tessera.get('model.docs', '').trim();
  const codeModel = code === '' ? bundled : code;
  return {
    models: { code: codeModel, docs: docs === '' ? codeModel : docs },
    ...device.read(tessera.get<unknown>('embedder.device', 'auto')),
    threads: tessera.get('embedder.threads', 0),
    sessions: tessera.get('embedder.sessions', 0),
    batchSize: tessera.get('embedder.batchSize', 0),
    memoryCeilingMb: tessera.get('embedder.memoryCeilingMb', 0),
    latencyCeilingMs: LATENCY_CEILING_MS,
    tunerStateFile: join(folders.globalStoragePath, 'tuner.json'),
  };
}

function globsOf(section: string, key: string, folder: vscode.Uri): readonly string[] {
  return enabledGlobs(vscode.workspace.getConfiguration(section, folder).get<Record<string, unknown>>(key));
}
