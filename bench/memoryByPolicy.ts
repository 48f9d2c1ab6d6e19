/**
 * Most resident memory a policy needs, each in a process of its own that does nothing else: in `bench/batching.ts` all share one, with what the others left.
 * `node bench/memoryByPolicy.ts [--model synthetic:minilm-l6] [--workload log-normal]… [--cap 512] [--texts 512] [--policy NAME]… [--json]`.
 * The table gives each policy's peak and the tuned one's share of it; `start` is a process with the model loaded that has run one text.
 */
import { parseArgs } from 'node:util';
import { isSynthetic, openBenchModel, writeSyntheticModel } from '../src/cli/bench/benchModel.ts';
import { type Policy, TUNED, fixedCount, tokenBudget, tuned } from '../src/cli/bench/policies.ts';
import { timePass } from '../src/cli/bench/timeRuns.ts';
import { drawWorkload } from '../src/cli/bench/workloads.ts';
import { peakResidentMb } from '../src/process/memory.ts';
import { answerParent, measureInOwnProcess } from './ownProcess.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'synthetic:minilm-l6' },
    workload: { type: 'string', multiple: true, default: ['log-normal'] },
    cap: { type: 'string', default: '512' },
    texts: { type: 'string', default: '512' },
    policy: { type: 'string', multiple: true, default: [] },
    json: { type: 'boolean', default: false },
    /** Set for the processes this one starts: the policy to be measured. */
    measure: { type: 'string' },
  },
});
const START = 'start';
const LATENCY_CEILING_MS = 100;
const NAMES = [START, 'one by one', 'fixed 8', 'fixed 64', 'fixed 64 sorted', 'budget 512', 'budget 2048', TUNED];

/** The peak of this process after all texts were embedded by the policy, in MiB. */
async function measurePolicy(name: string): Promise<number> {
  const model = await openBenchModel(values.model, 0);
  const policies: Readonly<Record<string, () => Policy>> = {
    'one by one': () => fixedCount(1, 'arrival'),
    'fixed 8': () => fixedCount(8, 'arrival'),
    'fixed 64': () => fixedCount(64, 'arrival'),
    'fixed 64 sorted': () => fixedCount(64, 'sorted'),
    'budget 512': () => tokenBudget(512, model.isBag),
    'budget 2048': () => tokenBudget(2048, model.isBag),
    [TUNED]: () => tuned(TUNED, model, LATENCY_CEILING_MS),
  };
  await model.run([8], 8);
  const policy = policies[name]?.();
  const drawn = drawWorkload(values.workload[0] ?? '', Number(values.texts), Number(values.cap), 1);
  const lengths = policy === undefined ? [] : (drawn?.lengths ?? []);
  // Windows as the embedder cuts them, so that the tuner tries what it would try.
  for (let start = 0; start < lengths.length; start += 256)
    await timePass(model, policy ?? fixedCount(1, 'arrival'), lengths.slice(start, start + 256), {
      now: () => performance.now(),
      measureRss: false,
    });
  return peakResidentMb();
}

if (values.measure !== undefined) {
  answerParent(await measurePolicy(values.measure));
} else {
  // Built once: writing a model takes more memory than running it.
  const synthetic = isSynthetic(values.model) ? await writeSyntheticModel(values.model) : undefined;
  try {
    for (const workload of values.workload) {
      const peaks: Record<string, number> = {};
      for (const name of NAMES) {
        if (values.policy.length > 0 && name !== TUNED && !values.policy.includes(name)) continue;
        peaks[name] = Math.round(
          await measureInOwnProcess(import.meta.filename, {
            model: synthetic?.folder ?? values.model,
            workload,
            cap: values.cap,
            texts: values.texts,
            measure: name,
          }),
        );
      }
      const tunedMb = peaks[TUNED] ?? NaN;
      const rows = Object.entries(peaks).map(([policy, peakRssMb]) => ({
        policy,
        peakRssMb,
        tunedShare: tunedMb / peakRssMb,
      }));
      if (values.json) {
        console.log(
          JSON.stringify({ model: values.model, workload, cap: Number(values.cap), texts: Number(values.texts), rows }),
        );
        continue;
      }
      console.log(`${values.model}, ${workload}, ${values.texts} texts of at most ${values.cap} tokens`);
      for (const { policy, peakRssMb, tunedShare } of rows)
        console.log(
          `${policy.padEnd(16)} ${peakRssMb.toString().padStart(6)} MiB   tuned ${tunedShare.toFixed(2)} of it`,
        );
    }
  } finally {
    await synthetic?.remove();
  }
}
