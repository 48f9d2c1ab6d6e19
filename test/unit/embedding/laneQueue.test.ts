import { describe, expect, it } from 'vitest';
import { type LaneRequest, LaneQueue } from '../../../src/embedding/laneQueue.ts';
import { longestFirst, packGreedily } from '../../../src/embedding/tokenBatcher.ts';
import type { RunShape } from '../../../src/embedding/runShape.ts';
import type { PlanPurpose } from '../../../src/embedding/tunerTypes.ts';
import type { Lane } from '../../../src/protocol/embedder.ts';
import type { Scope } from '../../../src/protocol/scope.ts';

function fixture(
  options: {
    budget?: number;
    capacityTexts?: number;
    windowTexts?: number;
    windowTokens?: number;
    bagScopes?: readonly Scope[];
    lengthSteps?: Readonly<Record<Scope, number>>;
  } = {},
) {
  const time = { now: 0 };
  const planned: { readonly purpose: PlanPurpose; readonly texts: number }[] = [];
  const planner = {
    windowTokens: options.windowTokens ?? 0,
    mostTokens: Infinity,
    longestRun: Infinity,
    isTooLong: ({ length, count }: RunShape) => length * count > planner.longestRun,
    budget: options.budget ?? 100,
    plan: (lengths: ArrayLike<number>, purpose: PlanPurpose) => {
      planned.push({ purpose, texts: lengths.length });
      const limits = { maxTokens: planner.budget, maxCount: Infinity, lengthStep: 1 };
      return packGreedily(lengths, longestFirst(lengths), limits);
    },
  };
  const queue = new LaneQueue<string>({
    clock: { now: () => time.now },
    planners: { code: planner, docs: planner },
    capacityTexts: options.capacityTexts ?? 1000,
    windowTexts: options.windowTexts ?? 1000,
    lengthSteps: options.lengthSteps ?? { code: 1, docs: 1 },
    bagScopes: options.bagScopes ?? [],
  });
  const push = (lane: Lane, names: string, more: Partial<LaneRequest<string>> = {}, tokens = 10) =>
    queue.push({ lane, scope: 'code', texts: names.split('').map((payload) => ({ payload, tokens })), ...more });
  const nextNames = () =>
    queue
      .next()
      ?.texts.map((text) => text.payload)
      .join('');
  const all = () => {
    const runs: string[] = [];
    for (let names = nextNames(); names !== undefined; names = nextNames()) runs.push(names);
    return runs;
  };
  return { queue, push, nextNames, all, time, planned, planner };
}

describe('a lane queue', () => {
  it('gives nothing when nothing waits', () => {
    expect(fixture().queue.next()).toBeUndefined();
  });

  it('puts bulk requests that wait together into the same runs', () => {
    const { push, all } = fixture();
    push('bulk', 'abc');
    push('bulk', 'def');
    expect(all()).toEqual(['abcdef']);
  });

  it('tells the tokens of a run as its model takes them: padded, or without padding', () => {
    for (const [bagScopes, shape] of [
      [[], { length: 30, count: 2 }],
      [['docs'], { length: 30, count: 2 }],
      [['code'], { length: 20, count: 2 }],
    ] as const) {
      const { queue } = fixture({ bagScopes });
      const texts = [10, 30].map((tokens) => ({ tokens, payload: '' }));
      queue.push({ lane: 'bulk', scope: 'code', texts });
      expect(queue.next()).toMatchObject(shape);
    }
  });

  it('rounds lengths up by the step of the device each scope is on', () => {
    const { queue } = fixture({ lengthSteps: { code: 1, docs: 16 } });
    for (const scope of ['code', 'docs'] as const) {
      queue.push({ lane: 'bulk', scope, texts: [{ tokens: 30, payload: '' }] });
      expect(queue.next()).toMatchObject({ scope, length: scope === 'code' ? 30 : 32 });
    }
  });

  it('sorts a window by length', () => {
    const { queue, all } = fixture({ budget: 20 });
    const texts = [5, 20, 6, 19, 7].map((tokens) => ({ tokens, payload: String(tokens) }));
    queue.push({ lane: 'bulk', scope: 'code', texts });
    expect(all()).toEqual(['20', '19', '76', '5']);
  });

  it('answers queries before saved files, and those before the rest, between two runs of a window', () => {
    const { push, nextNames } = fixture({ budget: 20 });
    push('bulk', 'abcd');
    expect(nextNames()).toBe('ab');
    push('saved', 's');
    push('query', 'q');
    expect([nextNames(), nextNames(), nextNames()]).toEqual(['q', 's', 'cd']);
  });

  it('answers queries that come one by one during bulk work next, however many there have been', () => {
    const { push, nextNames } = fixture({ budget: 10 });
    push('bulk', 'b'.repeat(200));
    for (let query = 0; query < 100; query++) {
      expect(nextNames()).toBe('b');
      push('query', 'q');
      expect(nextNames()).toBe('q');
    }
  });

  it('runs queries that arrive together together, and never to try something out', () => {
    const { push, nextNames, planned } = fixture();
    push('query', 'a');
    push('query', 'b');
    expect(nextNames()).toBe('ab');
    expect(planned).toEqual([{ purpose: 'live', texts: 2 }]);
  });

  it('leaves out what was abandoned before its window was planned, and after', () => {
    const { push, all, nextNames, queue } = fixture({ budget: 10 });
    const early = new AbortController();
    const late = new AbortController();
    push('bulk', 'ab', { signal: early.signal });
    push('bulk', 'cd', { signal: late.signal });
    push('bulk', 'ef');
    early.abort();
    expect(nextNames()).toBe('c');
    late.abort();
    expect(all()).toEqual(['e', 'f']);
    expect(queue.size).toBe(0);
  });

  it('pads a run only to the longest text that is left', () => {
    const { queue } = fixture({ budget: 100 });
    const abort = new AbortController();
    queue.push({ lane: 'bulk', scope: 'code', texts: [{ tokens: 25, payload: 'long' }], signal: abort.signal });
    queue.push({ lane: 'bulk', scope: 'code', texts: [20, 9, 8].map((tokens) => ({ tokens, payload: 'x' })) });
    queue.push({ lane: 'query', scope: 'docs', texts: [{ tokens: 4, payload: 'q' }] });
    expect(queue.next()).toMatchObject({ lane: 'query', length: 4, count: 1 });
    abort.abort();
    expect(queue.next()).toMatchObject({ lane: 'bulk', length: 20, count: 3 });
  });

  it('lets bulk work through while files are saved without end', () => {
    const { push, nextNames } = fixture();
    push('bulk', 'b');
    const seen: (string | undefined)[] = [];
    for (let run = 0; run < 20; run++) {
      push('saved', 's');
      seen.push(nextNames());
    }
    expect(seen).toContain('b');
    expect(seen.indexOf('b')).toBeGreaterThan(4);
  });

  it('lets bulk work through while queries come without end', () => {
    const { push, nextNames } = fixture();
    push('bulk', 'b');
    const seen: (string | undefined)[] = [];
    for (let run = 0; run < 100; run++) {
      push('query', 'q');
      seen.push(nextNames());
    }
    expect(seen.filter((names) => names === 'b')).toHaveLength(1);
  });

  it('keeps the scopes apart and finishes one window before the next', () => {
    const { queue, push } = fixture({ budget: 10 });
    push('bulk', 'ab');
    push('bulk', 'xy', { scope: 'docs' });
    const scopes = [queue.next(), queue.next(), queue.next(), queue.next()].map((run) => run?.scope);
    expect(scopes).toEqual(['code', 'code', 'docs', 'docs']);
  });

  it('is bounded, but takes a request of any size when empty', () => {
    const { push, queue } = fixture({ capacityTexts: 4 });
    expect(push('bulk', 'abcdef')).toBe(true);
    expect(push('saved', 'q')).toBe(false);
    expect(queue.size).toBe(6);
  });

  it('makes room by dropping what was abandoned', () => {
    const { push } = fixture({ capacityTexts: 4 });
    const abort = new AbortController();
    push('bulk', 'abcd', { signal: abort.signal });
    abort.abort();
    expect(push('bulk', 'ef')).toBe(true);
  });

  it('plans what comes back together with what was left of its window', () => {
    const { push, queue, all, planned } = fixture({ budget: 20 });
    push('bulk', 'abcd');
    const run = queue.next()!;
    queue.giveBack(run);
    expect(queue.size).toBe(4);
    expect(all()).toEqual(['ab', 'cd']);
    expect(planned.map(({ texts }) => texts)).toEqual([4, 4]);
  });

  it('takes a window of several runs even of a few large texts', () => {
    const { push, planned, nextNames } = fixture({ windowTexts: 2, windowTokens: 45 });
    push('bulk', 'abcdefgh');
    nextNames();
    expect(planned).toEqual([{ purpose: 'bulk', texts: 5 }]);
  });

  it('tells how long each lane waits', () => {
    const { push, nextNames, queue, time } = fixture();
    push('query', 'a');
    time.now = 30;
    nextNames();
    expect(queue.metrics().query).toEqual({ requests: 1, waitP50Ms: 30, waitP90Ms: 30, waitP99Ms: 30 });
    expect(queue.metrics().bulk.requests).toBe(0);
  });

  it('hands over what waits when it is drained', () => {
    const { push, queue, nextNames } = fixture({ budget: 10 });
    push('bulk', 'ab');
    push('query', 'q');
    nextNames();
    expect(
      queue
        .drain()
        .map((text) => text.payload)
        .join(''),
    ).toBe('ab');
    expect(queue.next()).toBeUndefined();
  });
});

describe('a full queue', () => {
  it('takes a query all the same', () => {
    const { push, nextNames } = fixture({ capacityTexts: 4 });
    expect(push('bulk', 'abcd')).toBe(true);
    expect(push('saved', 'e')).toBe(false);
    expect(push('query', 'q')).toBe(true);
    expect(nextNames()).toBe('q');
  });
});

describe('a window that was planned when less was known', () => {
  it('is planned again before a run that is too large by now', () => {
    const { push, nextNames, all, planner } = fixture({ budget: 40 });
    push('bulk', 'abcdefgh');
    expect(nextNames()).toBe('abcd');
    planner.mostTokens = 20;
    planner.budget = 20;
    expect(all()).toEqual(['ef', 'gh']);
  });

  it('is planned again before a run that is known to take too long by now', () => {
    const { push, nextNames, all, planner } = fixture({ budget: 40 });
    push('bulk', 'abcdefgh');
    expect(nextNames()).toBe('abcd');
    planner.longestRun = 20;
    planner.budget = 20;
    expect(all()).toEqual(['ef', 'gh']);
  });

  it('keeps a text that is too large alone', () => {
    const { push, all, planner } = fixture({ budget: 5 });
    push('bulk', 'ab');
    planner.mostTokens = 5;
    expect(all()).toEqual(['a', 'b']);
  });
});

describe('bulk texts of which more follow', () => {
  it('wait until they fill a window, in texts and in tokens', () => {
    const { push, all } = fixture({ windowTexts: 4, windowTokens: 60 });
    push('bulk', 'abc', { hasMore: true });
    expect(all()).toEqual([]);
    push('bulk', 'de', { hasMore: true });
    expect(all()).toEqual([]);
    push('bulk', 'f', { hasMore: true });
    expect(all()).toEqual(['abcdef']);
  });

  it('wait no longer when the last has come', () => {
    const { queue, push, all } = fixture({ windowTexts: 4 });
    push('bulk', 'ab', { hasMore: true });
    push('bulk', 'c');
    expect(all()).toEqual(['abc']);
    push('bulk', 'd', { hasMore: true });
    queue.expectNoMore('bulk', 'code');
    expect(all()).toEqual(['d']);
  });

  it('hold up nobody else', () => {
    const { push, all } = fixture({ windowTexts: 4 });
    push('bulk', 'ab', { hasMore: true });
    push('saved', 's');
    push('bulk', 'xy', { scope: 'docs' });
    expect(all()).toEqual(['s', 'xy']);
  });

  it('are run when no more can come for want of room', () => {
    const { push, all } = fixture({ windowTexts: 100, capacityTexts: 4 });
    push('bulk', 'abc', { hasMore: true });
    expect(push('bulk', 'de', { hasMore: true })).toBe(false);
    expect(all()).toEqual(['abc']);
  });

  it('finish the window that was begun before they came', () => {
    const { push, nextNames, all } = fixture({ budget: 20, windowTexts: 4 });
    push('bulk', 'abcd');
    expect(nextNames()).toBe('ab');
    push('bulk', 'e', { hasMore: true });
    expect(all()).toEqual(['cd']);
  });
});
