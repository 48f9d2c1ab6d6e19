import { describe, expect, it } from 'vitest';
import { DisplacementMeter, parseDisplacement } from '../../../src/embedding/displacementMeter.ts';
import type { RunCost } from '../../../src/embedding/runShape.ts';
import { SeededRandom } from '../../../src/synthetic/random.ts';

const CURRENT = 2048;
const LARGER = 8192;
const LENGTH = 128;
/** Longer texts take longer a token. */
const COST: RunCost = (length, count) => (length * count * (1 + length / 1000)) / 4000;

class Machine {
  readonly meter: DisplacementMeter;
  readonly #pace: () => number;

  constructor(meter = new DisplacementMeter([]), pace = () => 1) {
    this.meter = meter;
    this.#pace = pace;
  }

  /** A run that takes so many times what it should. */
  run(tokens: number, factor = 1, { length = LENGTH, probe = false } = {}): void {
    const shape = { length, count: tokens / length };
    const elapsedMs = COST(shape.length, shape.count) * factor * this.#pace();
    this.meter.add({ shape, probe, elapsedMs }, CURRENT, () => COST);
  }

  /** Five larger runs amid eight of the size in use, the later of which take longer: all together by this share of the row's tokens. */
  row(share: number): void {
    for (let run = 0; run < 8; run++) this.run(CURRENT, 1, { length: 64 });
    for (let run = 0; run < 5; run++) this.run(LARGER, 1.1, { probe: true });
    const extra = (share * 5 * LARGER) / CURRENT;
    // What comes first suffers most.
    for (let run = 0; run < 8; run++) this.run(CURRENT, 1 + (extra * 2 ** -run) / (2 - 2 ** -7), { length: 256 });
  }
}

describe('what larger runs displace', () => {
  it.each([0, 0.05, 0.15])('is measured by the runs after them (%s)', (share) => {
    const machine = new Machine();
    expect(machine.meter.loss).toBe(0.45);
    for (let row = 0; row < 5; row++) machine.row(share);
    expect(machine.meter.loss).toBeCloseTo(share, 5);
  });

  it('is measured on a noisy machine', () => {
    const random = new SeededRandom(3);
    const pace = () => Math.exp(0.15 * random.normal()) * (random.uniform() < 0.03 ? 30 : 1);
    const machine = new Machine(undefined, pace);
    for (let row = 0; row < 9; row++) machine.row(0.1);
    expect(machine.meter.loss).toBeGreaterThan(0.02);
    expect(machine.meter.loss).toBeLessThan(0.18);
  });

  it('is not learned from smaller runs, from rows that follow each other at once, or across a change of size', () => {
    const machine = new Machine();
    const before = () => {
      for (let run = 0; run < 8; run++) machine.run(CURRENT);
    };
    before();
    machine.run(CURRENT / 2, 1, { probe: true });
    for (let run = 0; run < 8; run++) machine.run(CURRENT, 2);
    before();
    for (let row = 0; row < 20; row++) {
      machine.run(LARGER, 1, { probe: true });
      machine.run(CURRENT, 2);
    }
    before();
    machine.run(LARGER, 1, { probe: true });
    machine.meter.forgetRuns();
    for (let run = 0; run < 8; run++) machine.run(CURRENT, 2);
    expect(machine.meter.save()).toEqual([]);
  });

  it('is forgotten as the machine changes, and kept between starts', () => {
    const machine = new Machine();
    for (let row = 0; row < 9; row++) machine.row(0.15);
    const saved = parseDisplacement(JSON.parse(JSON.stringify(machine.meter.save())));
    expect(saved).toHaveLength(9);
    const restored = new Machine(new DisplacementMeter(saved!));
    expect(restored.meter.loss).toBeCloseTo(0.15, 3);
    for (let row = 0; row < 7; row++) restored.row(0);
    expect(restored.meter.loss).toBe(0);
  });

  it('is never less than nothing, nor spoilt by a clock that stands still', () => {
    const machine = new Machine();
    for (let row = 0; row < 5; row++) machine.row(-0.02);
    expect(machine.meter.loss).toBe(0);
    const still = new Machine(undefined, () => 0);
    for (let row = 0; row < 5; row++) still.row(0.1);
    expect(still.meter.save()).toEqual([]);
  });

  it.each([null, {}, ['0.1'], [Number.NaN], [1e9], new Array(10).fill(0)])('is not read from %j', (damaged) => {
    expect(parseDisplacement(damaged)).toBeUndefined();
  });
});
