/**
 * An encoder with weights of 8 bits against the same with floats, both in batches tuned on this machine, passes in turns in one process.
 * `node bench/precisions.ts [--size minilm-l6] [--seconds 60] [--cap 512] [--json]`, `--seconds` for each workload.
 * A ratio is float32's time over int8's in the same round (median, 10–90 %). With VNNI or its like int8 is to be at least twice as fast.
 */
import { parseArgs } from 'node:util';
import { summarize } from '../src/cli/bench/benchReport.ts';
import { openBenchModel } from '../src/cli/bench/benchModel.ts';
import { type TunedPolicy, tuned } from '../src/cli/bench/policies.ts';
import { type Pass, rateOf, timePass } from '../src/cli/bench/timeRuns.ts';
import { collectYoungGarbage } from '../src/cli/bench/youngGarbage.ts';
import { textLengths } from './textLengths.ts';

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: 'minilm-l6' },
    seconds: { type: 'string', default: '60' },
    cap: { type: 'string', default: '512' },
    json: { type: 'boolean', default: false },
  },
});

const PASS_TEXTS = 128;
/** Texts of a workload: passes see others each time. */
const TEXTS = 4096;
/** Share of the time before any round counts: the tuners learn, and code is compiled. */
const LEARNING_SHARE = 0.3;
const LEAST_ROUNDS = 5;
const LATENCY_CEILING_MS = 100;

const NAMES = ['float32', 'int8'] as const;
type Precision = (typeof NAMES)[number];
const models = {
  float32: await openBenchModel(`synthetic:${values.size}`, 0),
  int8: await openBenchModel(`synthetic:${values.size}:int8`, 0),
};

interface Comparison {
  readonly workload: string;
  readonly rounds: number;
  readonly ratio: ReturnType<typeof summarize>;
  readonly tokensPerSecond: Readonly<Record<Precision, number>>;
  readonly budgetTokens: Readonly<Record<Precision, number>>;
}

async function compare(workload: string): Promise<Comparison> {
  const lengths = await textLengths(workload, TEXTS, Number(values.cap));
  const policies: Record<Precision, TunedPolicy> = {
    float32: tuned('float32', models.float32, LATENCY_CEILING_MS),
    int8: tuned('int8', models.int8, LATENCY_CEILING_MS),
  };
  const passes: Record<Precision, Pass[]> = { float32: [], int8: [] };
  let next = 0;
  const startedMs = performance.now();
  const isBefore = (share: number): boolean => performance.now() - startedMs < share * Number(values.seconds) * 1000;
  for (let round = 0; isBefore(1) || passes.int8.length < LEAST_ROUNDS; round++) {
    const window = Array.from({ length: PASS_TEXTS }, () => lengths[next++ % lengths.length] ?? 1);
    const isLearning = isBefore(LEARNING_SHARE);
    for (const precision of round % 2 === 0 ? NAMES : NAMES.toReversed()) {
      collectYoungGarbage();
      const options = { now: () => performance.now(), measureRss: false };
      const pass = await timePass(models[precision], policies[precision], window, options);
      if (!isLearning) passes[precision].push(pass);
    }
  }
  const ratios = passes.int8.map((pass, round) => (passes.float32[round]?.milliseconds ?? NaN) / pass.milliseconds);
  const of = <T>(pick: (precision: Precision) => T): Record<Precision, T> => ({
    float32: pick('float32'),
    int8: pick('int8'),
  });
  return {
    workload,
    rounds: ratios.length,
    ratio: summarize(ratios),
    tokensPerSecond: of((precision) => Math.round(rateOf(passes[precision]))),
    budgetTokens: of((precision) => policies[precision].tuner.report().budgetTokens),
  };
}

try {
  const comparisons: Comparison[] = [];
  for (const workload of ['log-normal', 'code']) comparisons.push(await compare(workload));
  if (values.json) console.log(JSON.stringify(comparisons));
  else
    for (const { workload, rounds, ratio, tokensPerSecond, budgetTokens } of comparisons)
      console.log(
        `${workload}: int8 is ${ratio.median.toFixed(2)}× (${ratio.low.toFixed(2)} to ${ratio.high.toFixed(2)}) float32 in ${rounds} rounds; ` +
          `${tokensPerSecond.int8} and ${tokensPerSecond.float32} tokens/s in budgets of ${budgetTokens.int8} and ${budgetTokens.float32}`,
      );
} finally {
  await models.float32.dispose();
  await models.int8.dispose();
}
