import { expect, it } from 'vitest';
import type { RunCost } from '../../../src/embedding/runShape.ts';
import { ThroughputModel } from '../../../src/embedding/throughputModel.ts';

it('a model that forgets how sizes compare still knows the pace of those in use, and what lengths do', () => {
  const machine: RunCost = (length, count) => {
    const tokens = length * count;
    return (tokens / 17) * (1 + 0.2 * Math.abs(Math.log2(tokens / 1024))) * (1 + 0.001 * length);
  };
  const model = new ThroughputModel(512);
  let nowMs = 0;
  for (let run = 0; run < 2000; run++) {
    const length = [32, 64, 128, 256][run % 4] ?? 0;
    const count = ([512, 1024, 2048][Math.floor(run / 4) % 3] ?? 0) / length;
    const ms = machine(length, count);
    nowMs += ms;
    model.record({ length, count }, ms, nowMs);
  }
  const before = { cost: model.cost()(64, 16), long: model.cost()(256, 4), compared: model.compare(2048, 1024) };
  expect(before.cost / machine(64, 16)).toBeCloseTo(1, 1);
  expect(before.compared.mean).toBeGreaterThan(0.15);

  model.forgetSizes(1024);
  expect(model.cost()(64, 16) / before.cost).toBeCloseTo(1, 2);
  expect(model.cost()(256, 4) / model.cost()(64, 16)).toBeCloseTo(before.long / before.cost, 2);
  const fresh = new ThroughputModel(512);
  expect(model.compare(2048, 1024)).toEqual(fresh.compare(2048, 1024));
  expect(model.runsNear(1024)).toBe(0);
});

it.each([1, 2, 3])(
  'a young process that gets faster while texts get shorter does not make a size seem faster (%d)',
  (windows) => {
    const model = new ThroughputModel(4096);
    let nowMs = 0;
    const run = (length: number, tokens: number): void => {
      // Lengths make no difference, nor does size: what there is to see is what wears off.
      const ms = (tokens / 8000) * (1 + 1.5 * Math.exp(-nowMs / 30));
      nowMs += 4 * ms;
      model.record({ length, count: tokens / length }, ms, nowMs, 4);
    };
    for (let window = 0; window < windows; window++) for (const length of [512, 320, 200, 120, 60]) run(length, 4096);
    run(512, 4096);
    run(400, 2048);
    const { mean } = model.compare(2048, 4096);
    expect(Math.abs(mean)).toBeLessThan(0.05);
  },
);
