/**
 * How long one and the same run takes while a process is young, over what it takes later: run after run from the first on, in processes of their own.
 * `node bench/coldProcess.ts [--model FOLDER] [--tokens 4096] [--length 128] [--ms 250] [--processes 6]` prints JSON, as the tests' fixture coldProcessPace.json.
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { median } from '../src/base/median.ts';
import { openBenchModel } from '../src/cli/bench/benchModel.ts';
import { BUNDLED_MODEL } from '../src/protocol/embedder.ts';
import { answerParent, askOwnProcess } from './ownProcess.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: path.join(import.meta.dirname, '../models', BUNDLED_MODEL) },
    tokens: { type: 'string', default: '4096' },
    length: { type: 'string', default: '128' },
    ms: { type: 'string', default: '250' },
    processes: { type: 'string', default: '6' },
    /** Set for the processes this one starts. */
    measure: { type: 'string' },
  },
});
/** What a run takes later is the middle of so many at the end. */
const LAST_RUNS = 50;

if (values.measure === undefined) {
  const { model, tokens, length, ms } = values;
  const traces: unknown[] = [];
  for (let process = 0; process < Number(values.processes); process++)
    traces.push(await askOwnProcess(import.meta.filename, { model, tokens, length, ms, measure: 'yes' }));
  console.log(JSON.stringify(traces));
} else {
  const model = await openBenchModel(values.model, 0);
  const length = Number(values.length);
  const lengths = new Array<number>(Math.round(Number(values.tokens) / length)).fill(length);
  const times: number[] = [];
  for (const startedMs = performance.now(); performance.now() - startedMs < Number(values.ms);) {
    const runStartedMs = performance.now();
    await model.run(lengths, length);
    times.push(performance.now() - runStartedMs);
  }
  await model.dispose();
  const later = median(times.slice(-LAST_RUNS));
  answerParent(times.map((time) => Number((time / later).toFixed(2))));
}
