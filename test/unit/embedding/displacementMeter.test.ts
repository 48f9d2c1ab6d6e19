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
  #nowMs = 0;

  constructor(meter = new DisplacementMeter([]), pace = () => 1) {
    this.meter = meter;
    this.#pace = pace;
  }

  /** A run that takes so many times what it should. */
  run(tokens: number, factor = 1, { length = LENGTH, probe = false } = {}): void {
    const shape = { length, count: tokens / length };
    const elapsedMs = COST(shape.length, shape.count) * factor * this.#pace();
    this.#nowMs += elapsedMs;
    this.meter.add({ shape, probe, elapsedMs, endedAtMs: this.#nowMs }, CURRENT, () => COST);
  }

  plain(factor = 1, runs = 8): void {
    for (let run = 0; run < runs; run++) this.run(CURRENT, factor);
  }

  larger(): void {
    this.run(LARGER, 1.1, { probe: true });
  }

  pause(ms: number): void {
    this.#nowMs += ms;
  }

  /** Five larger runs amid eight of the size in use, the later of which take longer: all together by this share of the row's tokens. */
  row(share: number): void {
    for (let run = 0; run < 8; run++) this.run(CURRENT, 1, { length: 64 });
    for (let run = 0; run < 5; run++) this.larger();
    const extra = (share * 5 * LARGER) / CURRENT;
    // What comes first suffers most.
    for (let run = 0; run < 8; run++) this.run(CURRENT, 1 + (extra * 2 ** -run) / (2 - 2 ** -7), { length: 256 });
  }
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1];

describe('what larger runs displace', () => {
  it.each([0, 0.05, 0.15, 0.3, 0.4])('is measured by the runs after them (%s)', (share) => {
    const machine = new Machine();
    expect(machine.meter.loss).toBe(0.45);
    for (let row = 0; row < 3; row++) machine.row(share);
    expect(machine.meter.loss).toBeCloseTo(share, 5);
  });

  it('is believed by and by, and no more than leaves larger runs tried', () => {
    const machine = new Machine();
    machine.row(0);
    expect(machine.meter.loss).toBe(0.45);
    machine.row(0.1);
    expect(machine.meter.loss).toBeCloseTo(0.1, 5);
    for (let row = 0; row < 9; row++) machine.row(0.7);
    expect(median(machine.meter.save())).toBeCloseTo(0.7, 3);
    expect(machine.meter.loss).toBe(0.45);
  });

  it.each([1, 2, 3, 4, 5])('is measured on a noisy machine (seed %d)', (seed) => {
    const random = new SeededRandom(seed);
    const pace = () => Math.exp(0.15 * random.normal()) * (random.uniform() < 0.03 ? 30 : 1);
    const machine = new Machine(undefined, pace);
    for (let row = 0; row < 9; row++) machine.row(0.1);
    expect(machine.meter.loss).toBeGreaterThan(0.03);
    expect(machine.meter.loss).toBeLessThan(0.2);
  });

  it('is not learned from smaller runs', () => {
    const machine = new Machine();
    machine.plain();
    machine.run(CURRENT / 2, 1, { probe: true });
    machine.plain(2);
    expect(machine.meter.save()).toEqual([]);
  });

  it('is measured by undisturbed runs only: not where rows follow each other, nor before what an unmeasured one did is over', () => {
    const machine = new Machine();
    machine.plain();
    for (let row = 0; row < 20; row++) {
      machine.larger();
      machine.plain(2, 1);
    }
    machine.plain(2, 7);
    machine.larger();
    machine.plain(2);
    expect(machine.meter.save()).toEqual([]);
    // A smaller size that was tried in between has taken some of it upon itself.
    machine.plain();
    machine.larger();
    machine.run(CURRENT / 2, 2, { probe: true });
    machine.plain();
    expect(machine.meter.save()).toEqual([]);
    machine.plain();
    machine.larger();
    machine.plain(2);
    expect(machine.meter.save()).toEqual([2]);
    // Those are no measure for a row that follows at once.
    machine.larger();
    machine.plain(2);
    expect(machine.meter.save()).toEqual([2]);
  });

  it('is not measured across a change of the size in use or a pause', () => {
    const machine = new Machine();
    machine.plain();
    machine.larger();
    machine.plain(2, 7);
    machine.meter.forgetRuns();
    machine.plain(1, 1);
    machine.larger();
    machine.plain(2, 8);
    expect(machine.meter.save()).toEqual([]);
    machine.plain();
    machine.larger();
    machine.plain(1, 5);
    machine.pause(3_600_000);
    machine.plain(2, 3);
    machine.plain();
    expect(machine.meter.save()).toEqual([]);
    // What the pause left in the caches is no measure for a row after it.
    machine.pause(3_600_000);
    machine.plain(2);
    machine.larger();
    machine.plain(1);
    machine.plain();
    expect(machine.meter.save()).toEqual([]);
    machine.larger();
    machine.plain(1);
    expect(machine.meter.save()).toEqual([0]);
  });

  it('is measured where runs are short, as it counts there only', () => {
    const machine = new Machine(undefined, () => 50);
    for (let row = 0; row < 5; row++) machine.row(0);
    expect(machine.meter.save()).toEqual([]);
  });

  it('is forgotten as the machine changes, and kept between starts', () => {
    const machine = new Machine();
    for (let row = 0; row < 9; row++) machine.row(0.15);
    const saved = parseDisplacement(JSON.parse(JSON.stringify(machine.meter.save())));
    expect(saved).toHaveLength(9);
    const restored = new Machine(new DisplacementMeter(saved!));
    expect(restored.meter.loss).toBeCloseTo(0.15, 3);
    for (let row = 0; row < 5; row++) restored.row(0);
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
