import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { CancellationSignal } from '../../../src/base/cancellation.ts';
import { Deferred } from '../../../src/base/deferred.ts';
import type { ProcessState } from '../../../src/process/processSupervisor.ts';
import type { EmbedParams, EmbedResult } from '../../../src/protocol/embedder.ts';
import { ImpatientEmbedder } from '../../../src/server/search/impatientEmbedder.ts';
import { ManualClock } from '../../fakes/manualClock.ts';

const QUERY: EmbedParams = { texts: ['a'], role: 'query', scope: 'code', lane: 'query' };
const RESULT: EmbedResult = { vectors: Float32Array.of(1), dimension: 1, tokenCounts: Uint32Array.of(1), failures: [] };

/** Asks for a query's vectors, which come when `answer` is called. */
function ask(kind: ProcessState['kind'], signal?: AbortSignal) {
  const clock = new ManualClock();
  const inner = new Deferred<EmbedResult>();
  const seen: { signal?: CancellationSignal | undefined } = {};
  const embedder = {
    state: { kind } as ProcessState,
    open: () => Promise.reject(new Error('not asked for')),
    embedTokens: () => Promise.reject(new Error('not asked for')),
    embed: (_: EmbedParams, signal?: CancellationSignal) => {
      seen.signal = signal;
      return inner.promise;
    },
  };
  const settled: { code?: unknown; result?: EmbedResult } = {};
  new ImpatientEmbedder(embedder, clock).embed(QUERY, signal).then(
    (result) => (settled.result = result),
    (error: unknown) => (settled.code = (error as { code: unknown }).code),
  );
  const advance = async (ms: number) => {
    clock.advance(ms);
    await setImmediate();
  };
  return { clock, embedder, settled, seen, advance, answer: () => inner.resolve(RESULT) };
}

describe('an embedder for searches', () => {
  it('gives up what waits for a process that is not there for too long, and abandons it', async () => {
    const { advance, settled, seen, clock } = ask('starting');
    await advance(9999);
    expect(settled).toEqual({});
    await advance(1);
    expect(settled).toEqual({ code: 'embedder-failed' });
    expect(seen.signal?.aborted).toBe(true);
    expect(clock.timers).toBe(0);
  });

  it('waits for a process that runs, however slow it is, and no longer once that is gone', async () => {
    const { advance, settled, embedder, clock } = ask('running');
    await advance(60_000);
    expect(settled).toEqual({});
    embedder.state = { kind: 'stopped' };
    await advance(1000);
    expect(settled).toEqual({ code: 'embedder-failed' });
    expect(clock.timers).toBe(0);
  });

  it('hands on answers that come in time', async () => {
    const { advance, settled, answer, clock } = ask('starting');
    await advance(9000);
    answer();
    await advance(0);
    expect(settled).toEqual({ result: RESULT });
    expect(clock.timers).toBe(0);
  });

  it('hands on that nobody waits any more', async () => {
    const leaving = new AbortController();
    const { seen } = ask('starting', leaving.signal);
    await setImmediate();
    leaving.abort();
    expect(seen.signal?.aborted).toBe(true);
  });
});
