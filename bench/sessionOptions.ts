/**
 * What each option of the engine's session is worth on this machine: the product's own options, and each of them otherwise, over the same runs.
 * `node bench/sessionOptions.ts [--model synthetic:minilm-l6] [--budget 512] [--texts 64] [--repetitions 9]`.
 * In each repetition every variant has its turn, beginning with another one each time; the ratio is its speed over the product's in the same
 * repetition (median, 10–90 %). The peak of resident memory is that of a process of its own that makes the same runs.
 */
import { parseArgs } from 'node:util';
import { isSynthetic, writeSyntheticModel } from '../src/cli/bench/benchModel.ts';
import { tokenBudget } from '../src/cli/bench/policies.ts';
import { drawWorkload } from '../src/cli/bench/workloads.ts';
import { readGraphPorts } from '../src/embedder/graphPorts.ts';
import { InputMemory, buildFeeds } from '../src/embedder/inputTensors.ts';
import { chooseGraph, readModelFolder } from '../src/embedder/modelFolder.ts';
import { InferenceSession, type SessionOptions } from '../src/embedder/onnxRuntime.ts';
import { defaultThreads, sessionOptions } from '../src/embedder/onnxSession.ts';
import { TokenCounter, wholeText } from '../src/embedder/textInput.ts';
import { peakResidentMb } from '../src/process/memory.ts';
import { answerParent, measureInOwnProcess } from './ownProcess.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'synthetic:minilm-l6' },
    budget: { type: 'string', default: '512' },
    texts: { type: 'string', default: '64' },
    repetitions: { type: 'string', default: '9' },
    /** Set for the processes this one starts: the variant to be measured. */
    measure: { type: 'string' },
  },
});

const own = sessionOptions({ provider: 'cpu', deviceId: null, threads: 0 });
const OWN = 'as in the product';

/** The product's, but for entries of `session.*`. */
function withEntries(entries: Readonly<Record<string, unknown>>): SessionOptions {
  const extra = own.extra as { readonly session: Readonly<Record<string, unknown>> };
  return { ...own, extra: { session: { ...extra.session, ...entries } } };
}

const VARIANTS: Readonly<Record<string, SessionOptions>> = {
  [OWN]: own,
  'graph not optimised': { ...own, graphOptimizationLevel: 'disabled' },
  'graph optimised, basic': { ...own, graphOptimizationLevel: 'basic' },
  'graph optimised, extended': { ...own, graphOptimizationLevel: 'extended' },
  'no arena': { ...own, enableCpuMemArena: false },
  'memory pattern': { ...own, enableMemPattern: true },
  'denormals kept': withEntries({ set_denormal_as_zero: '0' }),
  'blocks as by default': withEntries({ dynamic_block_base: '0' }),
  'threads spin as by default': withEntries({ intra_op: {} }),
  'threads never spin': withEntries({ intra_op: { allow_spinning: '0' } }),
  'half the threads': { ...own, intraOpNumThreads: Math.max(1, Math.floor(defaultThreads() / 2)) },
};

const synthetic = isSynthetic(values.model) ? await writeSyntheticModel(values.model) : undefined;
const folder = await readModelFolder(synthetic?.folder ?? values.model);
const file = chooseGraph(folder, 'cpu');

/** Makes sessions ready to be timed: a function that makes all runs, in milliseconds. */
async function open(options: SessionOptions): Promise<() => Promise<number>> {
  const path = `${folder.folder}/${file}`;
  const session = await InferenceSession.create(path, options);
  const ports = readGraphPorts(session.inputMetadata, session.outputMetadata, folder.manifest, path);
  const lengths = drawWorkload('log-normal', Number(values.texts), folder.manifest.maxTokens, 1)?.lengths ?? [];
  const runs = tokenBudget(Number(values.budget), ports.isBag).plan(lengths);
  const ids = Int32Array.from({ length: folder.manifest.maxTokens }, (_, index) => 10 + index);
  const counter = new TokenCounter();
  const inputOf = (own: Int32Array) => (ports.countsTokens ? counter.count(own) : wholeText(own));
  const memory = new InputMemory();
  return async () => {
    const startedMs = performance.now();
    for (const { indices, length } of runs) {
      const texts = Array.from(indices, (index) => inputOf(ids.subarray(0, lengths[index])));
      const { padTokenId, firstPosition } = folder.manifest;
      await session.run(buildFeeds(ports, texts, { length, padTokenId, firstPosition }, memory), [ports.output.name]);
    }
    return performance.now() - startedMs;
  };
}

function quantile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}

try {
  if (values.measure !== undefined) {
    const run = await open(VARIANTS[values.measure] ?? own);
    await run();
    await run();
    answerParent(peakResidentMb());
  } else {
    const variants = await Promise.all(
      Object.entries(VARIANTS).map(async ([name, options]) => ({ name, run: await open(options), ms: [] as number[] })),
    );
    for (let repetition = -1; repetition < Number(values.repetitions); repetition++)
      for (let turn = 0; turn < variants.length; turn++) {
        const variant = variants[(turn + repetition + variants.length) % variants.length];
        const ms = await variant?.run();
        // The first time around, caches and memory are not as they will be.
        if (repetition >= 0 && ms !== undefined) variant?.ms.push(ms);
      }
    const base = variants.find(({ name }) => name === OWN)?.ms ?? [];
    console.log(
      `${values.model}, runs of ${values.budget} padded tokens, ${own.intraOpNumThreads?.toString() ?? '?'} threads`,
    );
    for (const { name, ms } of variants) {
      const ratios = ms.map((each, repetition) => (base[repetition] ?? NaN) / each);
      const peakMb = await measureInOwnProcess(import.meta.filename, {
        model: folder.folder,
        budget: values.budget,
        texts: values.texts,
        measure: name,
      });
      const spread = `(${quantile(ratios, 0.1).toFixed(2)}–${quantile(ratios, 0.9).toFixed(2)})`;
      console.log(
        `${name.padEnd(28)} ${quantile(ratios, 0.5).toFixed(2)} ${spread.padEnd(12)} ${Math.round(peakMb)} MiB`,
      );
    }
  }
} finally {
  await synthetic?.remove();
}
