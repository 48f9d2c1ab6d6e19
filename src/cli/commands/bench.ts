import path from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { SILENT_LOGGER } from '../../base/logger.ts';
import { SYSTEM_CLOCK } from '../../process/systemClock.ts';
import { BUNDLED_MODEL, type DeviceName, type EmbedderSettings } from '../../protocol/embedder.ts';
import { folderArgument, globalOptions, indexSettings, usageError } from '../globalOptions.ts';
import { packageRoot } from '../packagePlaces.ts';

interface BenchCommandOptions {
  readonly seconds: number;
  readonly full?: boolean;
  readonly json?: boolean;
}

const DEFAULT_SECONDS = 60;
/** Longest text in tokens, as chunks are cut. */
const MAX_TOKENS = 512;

/** An index of a middling repository, for the comparison of a tuner's first session with the best budget. */
const SESSION_CHUNKS = 5000;

export function addBenchCommand(program: Command): void {
  program
    .command('bench')
    .description('batching policies side by side on this machine')
    .argument('[dir]', 'a folder whose chunks are compared too, besides drawn lengths')
    .option('--seconds <n>', 'about how long it may take', seconds, DEFAULT_SECONDS)
    .option('--full', 'all policies and workloads instead of those that tell most')
    .option('--json', 'print one JSON object')
    .action(async (dir: string | undefined, options: BenchCommandOptions, command: Command) => {
      const asked = String(command.optsWithGlobals<Record<string, unknown>>()['model']);
      const settings = indexSettings(globalOptions(command)).embedder;
      if (settings.devices !== undefined) throw usageError('bench runs on one device; name one with --device.');
      const folder = dir === undefined ? null : folderArgument(dir);
      // Loads ONNX Runtime into this process, which no other command does.
      const [{ runBench }, { renderBench }, { isSynthetic }] = await Promise.all([
        import('../bench/runBench.ts'),
        import('../bench/renderBench.ts'),
        import('../bench/benchModel.ts'),
      ]);
      const report = await runBench({
        // `synthetic:minilm-l6` and the like are no folders, and known to this command alone.
        model: isSynthetic(asked) ? asked : settings.models.code,
        tokenizerModel: path.join(packageRoot(), 'models', BUNDLED_MODEL),
        folder,
        threads: settings.threads,
        device: isSynthetic(asked) ? settings.device : await deviceOf(settings),
        // As the product has it, whatever device turns out to be the best.
        graphFor: settings.device === 'auto' ? 'cpu' : undefined,
        clock: 'wall',
        seconds: options.seconds,
        piece: null,
        texts: 0,
        full: options.full === true,
        workloads: [],
        policies: [],
        maxTokens: MAX_TOKENS,
        latencyCeilingMs: settings.latencyCeilingMs,
        sessionChunks: options.full === true ? SESSION_CHUNKS : 0,
        onProgress: (text) => process.stderr.write(`${text}\n`),
      });
      console.log(options.json === true ? JSON.stringify(report) : renderBench(report));
    });
}

/**
 * The device the product would use. To find out what `auto` stands for, devices are tried, and native libraries write to stderr about those that are not there: in
 * the product's own process nobody sees that.
 */
async function deviceOf(settings: EmbedderSettings): Promise<DeviceName> {
  if (settings.device !== 'auto') return settings.device;
  const [{ EmbedderClient }, { spawnEmbedder }] = await Promise.all([
    import('../../server/embedder/embedderClient.ts'),
    import('../../server/embedder/spawnEmbedder.ts'),
  ]);
  const client = new EmbedderClient({ settings, spawn: spawnEmbedder, clock: SYSTEM_CLOCK, logger: SILENT_LOGGER });
  try {
    const { code } = await client.open();
    return code.device;
  } finally {
    client.dispose();
  }
}

function seconds(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('It is a number above 0.');
  return value;
}
