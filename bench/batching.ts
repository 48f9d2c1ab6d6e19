/**
 * Batching policies side by side on this machine.
 * `node bench/batching.ts [--model FOLDER|synthetic:SIZE[:int8]]… [--folder DIR] [--full] [--texts N] [--seconds N] [--workload NAME]… [--policy NAME]…
 * [--cap 512] [--session 5000] [--threads N] [--device NAME] [--clock wall|cpu] [--latency MS] [--json FILE] [--append FILE]`. Sizes: minilm-l6, small-4x256, bert-base. `--seconds` is
 * for each model. On a machine that is busy with other things: `--threads 1 --clock cpu` compares the processor's time.
 *
 * Synthetic models are for the processor unless `--device` names another.
 *
 * A slow model piece by piece: `--append FILE` keeps every pass in the file and goes on from what is in it, until each policy has been repeated five times, and `--seconds`
 * then is how long one call takes at most, loading included. Every call prints the table of all calls so far, and says whether anything is missing. The tuned policy is timed
 * again in each call, so that others are only compared with what was measured beside them. BERT-base, in calls of less than four minutes until nothing is missing:
 * `node bench/batching.ts --model synthetic:bert-base --workload log-normal --seconds 220 --append bert.json`
 * A slow model embeds fewer texts in a pass; `--texts 128` for those policies that are left out for it, `--full` for all (three times as many calls).
 */
import { existsSync } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { renderBench } from '../src/cli/bench/renderBench.ts';
import type { BenchRecord } from '../src/cli/bench/benchRecord.ts';
import type { BenchPiece, BenchReport } from '../src/cli/bench/benchReport.ts';
import { runBench } from '../src/cli/bench/runBench.ts';
import { parseDeviceNames } from '../src/protocol/deviceNames.ts';
import { BUNDLED_MODEL } from '../src/protocol/embedder.ts';
import { makeSourceTree } from './sourceTree.ts';

/** Files of installed packages whose chunks are the workloads `code` and `docs`, unless a folder is named. */
const TREE_FILES = 900;

const root = path.join(import.meta.dirname, '..');
const bundled = path.join(root, 'models', BUNDLED_MODEL);

const { values } = parseArgs({
  options: {
    model: {
      type: 'string',
      multiple: true,
      default: [bundled, 'synthetic:minilm-l6', 'synthetic:minilm-l6:int8', 'synthetic:small-4x256'],
    },
    folder: { type: 'string' },
    full: { type: 'boolean', default: false },
    texts: { type: 'string', default: '0' },
    seconds: { type: 'string', default: '120' },
    workload: { type: 'string', multiple: true, default: [] },
    policy: { type: 'string', multiple: true, default: [] },
    cap: { type: 'string', default: '512' },
    session: { type: 'string', default: '0' },
    threads: { type: 'string', default: '0' },
    device: { type: 'string', default: 'auto' },
    clock: { type: 'string', default: 'wall' },
    latency: { type: 'string', default: '100' },
    json: { type: 'string' },
    append: { type: 'string' },
  },
});

if (values.append !== undefined && values.session !== '0')
  throw new Error('A session is not measured piece by piece: leave --session or --append out.');

const [device, ...others] = parseDeviceNames(values.device, '--device');
if (others.length > 0) throw new Error('One device is measured at a time.');

const { append } = values;
const piece = append === undefined ? null : await openPiece(append);

/** What earlier calls measured, kept in the file after every pass: a call may be ended at any time. */
async function openPiece(file: string): Promise<BenchPiece> {
  const records = existsSync(file) ? (JSON.parse(await readFile(file, 'utf8')) as BenchRecord[]) : [];
  return {
    records,
    save: async () => {
      await writeFile(`${file}.unfinished`, JSON.stringify(records));
      await rename(`${file}.unfinished`, file);
    },
  };
}

const tree = values.folder === undefined ? makeSourceTree(TREE_FILES) : undefined;
const reports: BenchReport[] = [];
for (const model of values.model) {
  const report = await runBench({
    model,
    tokenizerModel: bundled,
    folder: path.resolve(tree ?? values.folder ?? '.'),
    threads: Number(values.threads),
    device,
    clock: values.clock === 'cpu' ? 'cpu' : 'wall',
    texts: Number(values.texts),
    seconds: Number(values.seconds),
    piece,
    full: values.full,
    workloads: values.workload,
    policies: values.policy,
    maxTokens: Number(values.cap),
    latencyCeilingMs: Number(values.latency),
    sessionChunks: Number(values.session),
    onProgress: (text) => process.stderr.write(`${text}\n`),
  });
  console.log(`${renderBench(report)}\n`);
  reports.push(report);
}
if (tree !== undefined) await rm(tree, { recursive: true, force: true });
if (values.json !== undefined) await writeFile(values.json, JSON.stringify(reports, undefined, 1));
