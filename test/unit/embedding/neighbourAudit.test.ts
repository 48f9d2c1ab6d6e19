import { describe, expect, it } from 'vitest';
import type { Trial } from '../../../src/embedding/budgetSearch.ts';
import { NO_AUDIT, NeighbourAudit, parseAuditState } from '../../../src/embedding/neighbourAudit.ts';
import type { RunSample } from '../../../src/embedding/runSampler.ts';
import { paddedTokens } from '../../../src/embedding/runShape.ts';
import { longestFirst } from '../../../src/embedding/tokenBatcher.ts';

const CURRENT = 512;
const BELOW: Trial = { tokens: 256, gain: 0, loss: 0.2 };
const ABOVE: Trial = { tokens: 1024, gain: 0, loss: 0.2 };
/** 100 runs of the present size. */
const WINDOW = new Array<number>(800).fill(64);
const LIMITS = {
  currentTokens: CURRENT,
  lengthStep: 1,
  maxTokens: 16_384,
  displacingLoss: 0.45,
  cost: () => 10,
  isBag: false,
};

type Neighbours = Parameters<NeighbourAudit['plan']>[2];

/** Windows until there is a look, and its runs. */
function nextLook(audit: NeighbourAudit, neighbours: Neighbours) {
  for (let windows = 1; windows < 1000; windows++) {
    audit.rest();
    const probes = audit.plan(WINDOW, longestFirst(WINDOW), neighbours, LIMITS);
    if (probes !== undefined) return { windows, runs: probes.runs };
  }
  throw new Error('never looked');
}

/** A run of so many tokens that takes so many times as long a token as usual. */
function sample(tokens: number, pace: number, probe = false): RunSample {
  return { shape: { length: 64, count: tokens / 64 }, probe, elapsedMs: tokens * pace, runs: 1, endedAtMs: 0 };
}

/** Takes in a look between two runs of the present size. */
function look(audit: NeighbourAudit, size: number, pace: { before: number; during: number; after: number }): boolean {
  const refuted = [sample(CURRENT, pace.before), sample(size, pace.during, true), sample(CURRENT, pace.after)].map(
    (one) => audit.refutes(one),
  );
  return refuted.includes(true);
}

const FASTER = { before: 1, during: 0.9, after: 1 };
const ALIKE = { before: 1, during: 1, after: 1 };

describe('an audit of the sizes next to the one in use', () => {
  it('refutes what is believed after eight looks in a row, and then begins anew', () => {
    const audit = new NeighbourAudit(NO_AUDIT);
    for (let series = 0; series < 2; series++) {
      const refuted = Array.from({ length: 8 }, () => {
        nextLook(audit, { below: BELOW, above: undefined });
        return look(audit, 256, FASTER);
      });
      expect(refuted).toEqual([...new Array<boolean>(7).fill(false), true]);
    }
  });

  it('begins anew after a look that says otherwise', () => {
    const audit = new NeighbourAudit(NO_AUDIT);
    for (let count = 0; count < 20; count++) {
      nextLook(audit, { below: BELOW, above: undefined });
      expect(look(audit, 256, count % 8 === 7 ? ALIKE : FASTER)).toBe(false);
    }
  });

  it('looks once in a window, and again after hundreds of runs, or sooner when a look found a size faster', () => {
    const audit = new NeighbourAudit(NO_AUDIT);
    const first = nextLook(audit, { below: BELOW, above: undefined });
    expect(first.runs.map(paddedTokens)).toEqual([256]);
    expect(first.windows).toBeGreaterThan(1);
    look(audit, 256, ALIKE);
    expect(nextLook(audit, { below: BELOW, above: undefined }).windows).toBeGreaterThan(1);
    look(audit, 256, FASTER);
    expect(nextLook(audit, { below: BELOW, above: undefined }).windows).toBe(1);
  });

  it('looks at both neighbours, each in its turn', () => {
    const audit = new NeighbourAudit(NO_AUDIT);
    const sizes = Array.from({ length: 6 }, () => {
      const { runs } = nextLook(audit, { below: BELOW, above: ABOVE });
      return paddedTokens(runs[0]!);
    });
    expect(new Set(sizes)).toEqual(new Set([256, 1024]));
  });

  it('counts no look that is not between two runs of the size in use, in one window', () => {
    const audit = new NeighbourAudit(NO_AUDIT);
    for (let count = 0; count < 20; count++) {
      nextLook(audit, { below: BELOW, above: undefined });
      audit.refutes(sample(256, 0.5, true));
      expect(audit.refutes(sample(CURRENT, 1))).toBe(false);
      nextLook(audit, { below: BELOW, above: undefined });
      audit.refutes(sample(CURRENT, 1));
      audit.refutes(sample(256, 0.5, true));
      audit.rest();
      expect(audit.refutes(sample(CURRENT, 1))).toBe(false);
    }
    expect(audit.save().below.faster).toBe(0);
  });

  it('takes no run for a look that was not planned as one, whatever its size', () => {
    const audit = new NeighbourAudit(NO_AUDIT);
    for (let count = 0; count < 20; count++) {
      nextLook(audit, { below: BELOW, above: undefined });
      audit.refutes(sample(CURRENT, 1));
      audit.refutes(sample(256, 0.5));
      audit.refutes(sample(256, 1, true));
      audit.refutes(sample(256, 0.5));
      expect(audit.refutes(sample(CURRENT, 1))).toBe(false);
    }
  });

  it('does not count for a larger size what it slows down after it', () => {
    const audit = new NeighbourAudit(NO_AUDIT);
    for (let count = 0; count < 20; count++) {
      nextLook(audit, { below: undefined, above: ABOVE });
      expect(look(audit, 1024, { before: 1, during: 1, after: 1.3 })).toBe(false);
    }
  });

  it('is taken up where it was saved', () => {
    let audit = new NeighbourAudit(NO_AUDIT);
    const refuted = Array.from({ length: 8 }, () => {
      const state = parseAuditState(JSON.parse(JSON.stringify(audit.save())));
      expect(state).toEqual(audit.save());
      audit = new NeighbourAudit(state!);
      nextLook(audit, { below: BELOW, above: undefined });
      return look(audit, 256, FASTER);
    });
    expect(refuted.at(-1)).toBe(true);
    // What was earned before a process ended is not lost either.
    const whole = nextLook(new NeighbourAudit(NO_AUDIT), { below: BELOW, above: undefined }).windows;
    let state = NO_AUDIT;
    for (let windows = 1; ; windows++) {
      const restored = new NeighbourAudit(state);
      if (restored.plan(WINDOW, longestFirst(WINDOW), { below: BELOW, above: undefined }, LIMITS) !== undefined) {
        expect(windows).toBeLessThanOrEqual(whole + 1);
        break;
      }
      state = restored.save();
      expect(windows).toBeLessThan(100);
    }
  });

  it('forgets its looks when the size in use is another', () => {
    const audit = new NeighbourAudit(NO_AUDIT);
    for (let count = 0; count < 7; count++) {
      nextLook(audit, { below: BELOW, above: undefined });
      look(audit, 256, FASTER);
    }
    audit.plan(
      WINDOW,
      longestFirst(WINDOW),
      { below: undefined, above: undefined },
      { ...LIMITS, currentTokens: 1024 },
    );
    nextLook(audit, { below: BELOW, above: undefined });
    expect(look(audit, 256, FASTER)).toBe(false);
  });
});
