import { describe, expect, it } from 'vitest';
import { type Contender, LayoutTrial, type PairOfRates, judge } from '../../../src/server/embedder/layoutTrial.ts';
import { SeededRandom } from '../../../src/synthetic/random.ts';

/** What a machine does to a measured speed: a factor. */
type Noise = (random: SeededRandom) => number;

const quiet: Noise = (random) => Math.exp(0.03 * random.normal());
const busy: Noise = (random) => Math.exp(0.12 * random.normal());
/** Now and then another program takes up to half of the machine for a whole slice. */
const disturbed: Noise = (random) => quiet(random) * (random.uniform() < 0.2 ? 0.5 + 0.5 * random.uniform() : 1);

/** The verdicts of many trials of a challenger that is so many times as fast, and the pairs they took. */
function trials(ratio: number, noise: Noise, count = 300): { readonly switches: number; readonly meanPairs: number } {
  let switches = 0;
  let pairCount = 0;
  for (let trial = 0; trial < count; trial++) {
    const random = new SeededRandom(trial + 1);
    const pairs: PairOfRates[] = [];
    while (judge(pairs) === 'undecided') {
      pairs.push({ incumbent: 1000 * noise(random), challenger: 1000 * ratio * noise(random) });
    }
    if (judge(pairs) === 'switch') switches += 1;
    pairCount += pairs.length;
  }
  return { switches: switches / count, meanPairs: pairCount / count };
}

describe('a comparison of two layouts', () => {
  it('comes to a verdict within ten pairs, whatever the noise', () => {
    for (const noise of [quiet, busy, disturbed])
      for (const ratio of [0.8, 1, 1.03, 1.2]) expect(trials(ratio, noise).meanPairs).toBeLessThanOrEqual(10);
  });

  it('switches to what is clearly faster, and soon', () => {
    expect(trials(1.2, quiet).switches).toBeGreaterThan(0.99);
    expect(trials(1.2, quiet).meanPairs).toBeLessThan(5);
    expect(trials(1.2, disturbed).switches).toBeGreaterThan(0.9);
    expect(trials(1.3, busy).switches).toBeGreaterThan(0.9);
  });

  it('stays with what it has when the other is slower or the same', () => {
    expect(trials(0.9, quiet).switches).toBe(0);
    expect(trials(0.9, disturbed).switches).toBeLessThan(0.03);
    expect(trials(0.9, busy).switches).toBeLessThan(0.05);
    expect(trials(1, quiet).switches).toBeLessThan(0.05);
    expect(trials(1, disturbed).switches).toBeLessThan(0.1);
  });

  it('is not moved by one pair that was spoilt', () => {
    const pair = (challenger: number) => ({ incumbent: 1000, challenger });
    expect(judge([pair(1000), pair(1005), pair(4000), pair(995), pair(1000), pair(1002)])).toBe('keep');
  });
});

describe('a trial', () => {
  /** A machine that does the work of a call at the speed of its contender, one call after another. */
  function run(trial: LayoutTrial, clock: { ms: number }, speeds: Record<Contender, number>, calls: number): string {
    let order = '';
    for (let call = 0; call < calls; call++) {
      const contender = trial.begin();
      if (contender === undefined) throw new Error('Nothing is under way that could be waited for.');
      clock.ms += 1_000_000 / speeds[contender];
      order += contender === 'incumbent' ? 'i' : 'c';
      trial.end(1000);
    }
    return order;
  }

  it('warms the challenger up, then takes turns in alternating order, and measures each speed', () => {
    const clock = { ms: 0 };
    const trial = new LayoutTrial(() => clock.ms);
    const order = run(trial, clock, { incumbent: 1000, challenger: 1100 }, 80);
    expect(order).toMatch(/^c{6}i{5}c{10,12}i{10}c/);
    for (const { incumbent, challenger } of trial.pairs) expect(challenger / incumbent).toBeCloseTo(1.1, 5);
    expect(trial.verdict).toBe('switch');
  });

  it('lets nobody begin while a side still works after its time', () => {
    let ms = 0;
    const trial = new LayoutTrial(() => ms);
    expect(trial.begin()).toBe('challenger');
    expect(trial.begin()).toBe('challenger');
    ms = 6_000;
    expect(trial.begin()).toBeUndefined();
    expect(trial.end(10)).toBe(false);
    expect(trial.begin()).toBeUndefined();
    expect(trial.end(10)).toBe(true);
    expect(trial.begin()).toBe('incumbent');
  });

  it('does not count a slice that ran out of work, or whose work was broken off', () => {
    let ms = 0;
    const trial = new LayoutTrial(() => ms);
    const slice = (tokens: number | undefined, pauseMs = 0) => {
      const contender = trial.begin();
      ms += 3_000;
      trial.end(tokens);
      ms += pauseMs;
      trial.begin();
      ms += 3_000;
      trial.end(tokens);
      return contender;
    };
    expect(slice(100)).toBe('challenger');
    expect(slice(100)).toBe('incumbent');
    expect(slice(undefined)).toBe('challenger');
    expect(trial.pairs).toHaveLength(0);
    expect(slice(100, 60_000)).toBe('challenger');
    expect(trial.pairs).toHaveLength(0);
  });

  it('is over when work keeps running out: the embedder is not what takes the time', () => {
    let ms = 0;
    const trial = new LayoutTrial(() => ms);
    for (let call = 0; call < 10; call++) {
      expect(trial.verdict).toBe('undecided');
      trial.begin();
      ms += 1_000;
      trial.end(100);
      ms += 1_000;
    }
    trial.begin();
    expect(trial.verdict).toBe('keep');
  });

  it('is not over because work ran out now and then in several works', () => {
    let ms = 0;
    const trial = new LayoutTrial(() => ms);
    for (let call = 0; call < 60; call++) {
      trial.begin();
      ms += 1_000;
      trial.end(100);
      ms += call % 6 === 5 ? 60_000 : 1_000;
    }
    trial.begin();
    expect(trial.verdict).toBe('undecided');
    expect(trial.isStarved).toBe(false);
  });

  it('compares nothing with what was measured before a pause', () => {
    const clock = { ms: 0 };
    const trial = new LayoutTrial(() => clock.ms);
    run(trial, clock, { incumbent: 1000, challenger: 1000 }, 10);
    expect(trial.pairs).toHaveLength(0);
    clock.ms += 60_000;
    // Meanwhile the machine has become twice as fast.
    run(trial, clock, { incumbent: 2000, challenger: 2000 }, 40);
    expect(trial.pairs.length).toBeGreaterThan(0);
    for (const { incumbent, challenger } of trial.pairs) expect(challenger / incumbent).toBeCloseTo(1, 5);
  });

  it('is not over because work comes in small portions', () => {
    let ms = 0;
    const trial = new LayoutTrial(() => ms);
    for (let call = 0; call < 50; call++) {
      trial.begin();
      ms += 1_000;
      trial.end(100);
      ms += 60_000;
    }
    expect(trial.verdict).toBe('undecided');
  });

  it('warms up anew after a rest, and keeps what it has measured', () => {
    const clock = { ms: 0 };
    const trial = new LayoutTrial(() => clock.ms);
    run(trial, clock, { incumbent: 1000, challenger: 1000 }, 17);
    const before = trial.pairs.length;
    expect(before).toBe(1);
    trial.pause();
    expect(run(trial, clock, { incumbent: 1000, challenger: 1000 }, 6)).toMatch(/^c{5}c/);
    expect(trial.pairs).toHaveLength(before);
  });
});
