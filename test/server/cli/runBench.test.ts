import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BenchRecord } from '../../../src/cli/bench/benchRecord.ts';
import type { BenchOptions } from '../../../src/cli/bench/benchReport.ts';
import { renderBench } from '../../../src/cli/bench/renderBench.ts';
import { runBench } from '../../../src/cli/bench/runBench.ts';
import { buildBagModel } from '../../../src/synthetic/smallModels.ts';
import { writeModelFolder } from '../../fakes/modelFolder.ts';

let folder = '';
let remove: () => Promise<void>;
beforeAll(async () => {
  // Large enough for the ids the bench feeds it with.
  const { model } = buildBagModel({ vocabulary: 30_522, hidden: 8, seed: 3 });
  ({ folder, remove } = await writeModelFolder({ graphs: { 'onnx/model.onnx': model } }));
});
afterAll(() => remove());

function options(more: Partial<BenchOptions>): BenchOptions {
  return {
    model: folder,
    tokenizerModel: folder,
    folder: null,
    threads: 1,
    clock: 'wall',
    seconds: 1,
    piece: null,
    device: 'auto',
    texts: 32,
    full: false,
    workloads: ['short'],
    policies: ['one by one', 'fixed 8', 'fixed 64'],
    maxTokens: 64,
    latencyCeilingMs: 100,
    sessionChunks: 0,
    onProgress: () => undefined,
    ...more,
  };
}

describe('a bench of a model', () => {
  it('draws the speed of each policy, with what the tuned one is in comparison', async () => {
    const report = await runBench(options({}));
    expect(report.complete).toBe(true);
    const names = ['one by one (Continue)', 'fixed 8 arrival', 'tuned'];
    expect(report.cases.map(({ policy }) => policy)).toEqual(names);
    for (const { repetitions } of report.cases) expect(repetitions).toBeGreaterThanOrEqual(5);
    const text = renderBench(report);
    expect(text).toContain(' on cpu, 1 thread (');
    expect(text).toMatch(/^short +tokens\/s +padding +p50 +p99 +RSS +tuned is$/m);
    for (const name of names) expect(text).toMatch(new RegExp(`^${name.replace(/[()]/g, '\\$&')} +█+ +[\\d,]+ `, 'm'));
    expect(text).toMatch(/^fixed 8 arrival.*× \(.* to .*\)$/m);
    // 32 texts are no run of 64.
    expect(text).toMatch(/^fixed 64 arrival: left out, since 32 texts do not/m);
  });

  it('refuses a policy there is not before anything is measured', async () => {
    const said: string[] = [];
    const wrong = runBench(options({ policies: ['budget 7'], onProgress: (text) => said.push(text) }));
    await expect(wrong).rejects.toMatchObject({ code: 'invalid-argument' });
    expect(said.filter((text) => text.includes('learning'))).toEqual([]);
  });

  it('compares sessions with budgets only, and says which budgets those were', async () => {
    const withoutBudget = runBench(options({ sessionChunks: 256 }));
    await expect(withoutBudget).rejects.toMatchObject({ code: 'invalid-argument' });
    const { sessions, notes } = await runBench(options({ sessionChunks: 256, policies: ['budget 1024'] }));
    expect(sessions.map(({ oracleBudget }) => oracleBudget)).toEqual([1024]);
    expect(notes).toContain(
      'Sessions are compared with the best of the budgets above; --full without --policy measures all.',
    );
  });

  it('says that real texts are left out where there is no folder to take them from', async () => {
    const { cases, notes } = await runBench(options({ workloads: ['short', 'docs'] }));
    expect(new Set(cases.map(({ workload }) => workload))).toEqual(new Set(['short']));
    expect(notes).toContain('docs: left out, since no folder was named to take them from.');
  });

  it('goes on from what was measured before, and only with the same settings', async () => {
    const records: BenchRecord[] = [];
    let saves = 0;
    const save = async () => {
      saves += 1;
      await Promise.resolve();
    };
    const piece = { records, save };
    const first = await runBench(options({ seconds: 600, piece }));
    expect(first.complete).toBe(true);
    expect(saves).toBeGreaterThan(5);
    const before = structuredClone(records);
    const again = await runBench(options({ seconds: 600, piece }));
    expect(again.cases).toEqual(first.cases);
    expect(records).toEqual(before);
    await expect(runBench(options({ seconds: 600, piece, maxTokens: 32 }))).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringContaining('maxTokens 64, now it is 32') as string,
    });
    const nothingFits = runBench(options({ seconds: 1e-6, piece: { ...piece, records: [] }, texts: 33 }));
    await expect(nothingFits).rejects.toThrow('Not one pass fits');
  });
});
