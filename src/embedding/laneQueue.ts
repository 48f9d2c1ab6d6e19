import type { CancellationSignal } from '../base/cancellation.ts';
import type { Clock } from '../base/clock.ts';
import { LANES, type Lane, type LaneMetrics } from '../protocol/embedder.ts';
import { SCOPES, type Scope } from '../protocol/scope.ts';
import { QuantileWindow } from './quantileWindow.ts';
import { type RunShape, paddedTokens, roundLength } from './runShape.ts';
import type { PlanPurpose, Tuner } from './tunerTypes.ts';

/** A tokenised text waiting for its run. `payload` is the caller's own: ids, and where the answer goes. */
export interface WaitingText<T> {
  readonly tokens: number;
  readonly payload: T;
}

export interface LaneRequest<T> {
  readonly lane: Lane;
  readonly scope: Scope;
  readonly texts: readonly WaitingText<T>[];
  /** Texts of an aborted request are never run; nobody is told, since the one who aborted knows. */
  readonly signal?: CancellationSignal | undefined;
  /** Whether more texts of the lane and scope follow at once: no window is begun then before it is full. */
  readonly hasMore?: boolean;
}

/** Texts for one run of the engine, longest first. */
export interface Dispatch<T> extends RunShape {
  readonly lane: Lane;
  readonly scope: Scope;
  readonly texts: readonly WaitingText<T>[];
  /** True when its size was chosen to learn from it. */
  readonly probe: boolean;
  /** Internal to the queue: what `giveBack` needs. */
  readonly entries: readonly QueueEntry<T>[];
}

export interface QueueEntry<T> extends WaitingText<T> {
  readonly request: QueuedRequest;
}

/** A run of a window: its texts, in order. */
interface WaitingRun<T> {
  readonly entries: readonly QueueEntry<T>[];
  readonly probe: boolean;
}

interface QueuedRequest {
  readonly signal: CancellationSignal | undefined;
  readonly arrivedMs: number;
  started: boolean;
}

export interface LaneQueueOptions {
  readonly clock: Pick<Clock, 'now'>;
  /** Plans the runs of each scope; two scopes of one tuner are still planned apart. */
  readonly planners: Readonly<Record<Scope, Pick<Tuner, 'plan' | 'windowTokens' | 'mostTokens' | 'isTooLong'>>>;
  /** Texts the queue holds at most, over all lanes. */
  readonly capacityTexts: number;
  /** Texts that are sorted and cut into runs together; more where these are fewer than the planner's `windowTokens`. */
  readonly windowTexts: number;
  /** Lengths are rounded up to a multiple of this; the same as the planner's. */
  readonly lengthSteps: Readonly<Record<Scope, number>>;
  /** Scopes whose model takes the texts of a run one after another without padding; none when left out. */
  readonly bagScopes?: readonly Scope[];
}

/**
 * How many runs in a row a lane may take while a lower one waits. A person's queries come first but can't stop
 * everything; saved files can't keep the first index of a large folder from ever ending.
 */
export const TURNS: Readonly<Record<Lane, number>> = { query: 32, saved: 8, bulk: Infinity };

/**
 * Texts waiting for the engine, in lanes. A run is formed only when it is asked for, from everything that waits in its
 * lane by then: requests that arrive together share runs, and what was abandoned meanwhile is left out.
 */
export class LaneQueue<T> {
  readonly #options: LaneQueueOptions;
  readonly #channels: readonly Channel<T>[];
  readonly #waits: Readonly<Record<Lane, QuantileWindow>>;
  readonly #requests: Record<Lane, number> = { query: 0, saved: 0, bulk: 0 };
  /** Runs in a row taken by each lane while a lower one waited. */
  readonly #streaks: Record<Lane, number> = { query: 0, saved: 0, bulk: 0 };
  #size = 0;

  constructor(options: LaneQueueOptions) {
    this.#options = options;
    this.#channels = LANES.flatMap((lane) => SCOPES.map((scope) => new Channel<T>(lane, scope)));
    this.#waits = { query: new QuantileWindow(), saved: new QuantileWindow(), bulk: new QuantileWindow() };
  }

  /** Texts waiting, those of aborted requests included until they are passed over. */
  get size(): number {
    return this.#size;
  }

  /** False when the texts do not fit; an empty queue takes a request of any size, and a full one what a person waits for. */
  push(request: LaneRequest<T>): boolean {
    if (request.lane !== 'query' && !this.#makeRoom(request.texts.length)) return false;
    const queued = { signal: request.signal, arrivedMs: this.#options.clock.now(), started: false };
    const channel = this.#channel(request.lane, request.scope);
    for (const text of request.texts) channel.waiting.push({ ...text, request: queued });
    channel.expectsMore = request.hasMore === true;
    this.#size += request.texts.length;
    this.#requests[request.lane]++;
    return true;
  }

  /** Nothing follows what was pushed with `hasMore`: what waits may be run as it is. */
  expectNoMore(lane: Lane, scope: Scope): void {
    this.#channel(lane, scope).expectsMore = false;
  }

  /** The next run, or undefined when nothing waits, or only texts whose window is not full yet. */
  next(): Dispatch<T> | undefined {
    for (;;) {
      const channel = this.#chooseChannel();
      if (channel === undefined) return undefined;
      const run = this.#takeRun(channel);
      if (run.entries.length > 0) return this.#dispatch(channel, run);
    }
  }

  /**
   * Puts the texts of a run that did not succeed back in front of their lane, and forgets the plan of that scope, so
   * that they are planned again by what is known now.
   */
  giveBack(dispatch: Pick<Dispatch<T>, 'lane' | 'scope' | 'entries'>): void {
    for (const channel of this.#channels) if (channel.scope === dispatch.scope) channel.forgetPlan();
    const target = this.#channel(dispatch.lane, dispatch.scope);
    target.waiting = [...dispatch.entries, ...target.waiting];
    this.#size += dispatch.entries.length;
  }

  /** Empties the queue and returns what waited, so that its owners can be told. */
  drain(): WaitingText<T>[] {
    const texts = this.#channels.flatMap((channel) => channel.takeAll());
    this.#size = 0;
    return texts;
  }

  metrics(): Readonly<Record<Lane, LaneMetrics>> {
    const of = (lane: Lane): LaneMetrics => ({
      requests: this.#requests[lane],
      waitP50Ms: this.#waits[lane].quantile(0.5),
      waitP90Ms: this.#waits[lane].quantile(0.9),
      waitP99Ms: this.#waits[lane].quantile(0.99),
    });
    return { query: of('query'), saved: of('saved'), bulk: of('bulk') };
  }

  #channel(lane: Lane, scope: Scope): Channel<T> {
    const channel = this.#channels.find((candidate) => candidate.lane === lane && candidate.scope === scope);
    if (channel === undefined) throw new RangeError(`No lane ${lane} for scope ${scope}.`);
    return channel;
  }

  #chooseChannel(): Channel<T> | undefined {
    const busy = this.#channels.filter((channel) => !channel.isEmpty && !this.#fillsUp(channel));
    for (const lane of LANES) {
      const here = busy.filter((channel) => channel.lane === lane);
      if (here.length === 0) {
        // A lower one has its turn now.
        this.#streaks[lane] = 0;
        continue;
      }
      const lowerWaits = busy.some((channel) => LANES.indexOf(channel.lane) > LANES.indexOf(lane));
      if (lowerWaits && this.#streaks[lane] >= TURNS[lane]) {
        this.#streaks[lane] = 0;
        continue;
      }
      this.#streaks[lane] = lowerWaits ? this.#streaks[lane] + 1 : 0;
      // Within a lane the scope that has waited longest; a window once begun is finished first, its order is its worth.
      return here.sort((a, b) => a.rank - b.rank)[0];
    }
    return undefined;
  }

  /** Whether a window is still being filled: of the few texts there are so far, only short runs with much padding could be made. */
  #fillsUp(channel: Channel<T>): boolean {
    if (!channel.expectsMore || channel.runs.length > 0) return false;
    const { windowTexts, planners } = this.#options;
    if (channel.waiting.length < windowTexts) return true;
    const { windowTokens } = planners[channel.scope];
    let tokens = 0;
    for (const entry of channel.waiting) {
      tokens += entry.tokens;
      if (tokens >= windowTokens) return false;
    }
    return true;
  }

  #takeRun(channel: Channel<T>): WaitingRun<T> {
    const [next] = channel.runs;
    if (next !== undefined && next.entries.length > 1 && this.#isOutdated(channel.scope, next.entries))
      channel.forgetPlan();
    if (channel.runs.length === 0) {
      const window: QueueEntry<T>[] = [];
      const { waiting } = channel;
      const planner = this.#options.planners[channel.scope];
      let taken = 0;
      let tokens = 0;
      while (taken < waiting.length && (window.length < this.#options.windowTexts || tokens < planner.windowTokens)) {
        const entry = waiting[taken++];
        if (entry === undefined || isAbandoned(entry)) continue;
        window.push(entry);
        tokens += entry.tokens;
      }
      this.#size -= taken - window.length;
      channel.waiting = waiting.slice(taken);
      const purpose: PlanPurpose = channel.lane === 'bulk' ? 'bulk' : 'live';
      const lengths = Uint32Array.from(window, (entry) => entry.tokens);
      const runs = planner.plan(lengths, purpose);
      channel.runs = runs.map(({ indices, probe }) => {
        const entries = [...indices].flatMap((index) => {
          const entry = window[index];
          return entry === undefined ? [] : [entry];
        });
        return { entries, probe };
      });
    }
    const { entries, probe } = channel.runs.shift() ?? { entries: [], probe: false };
    this.#size -= entries.length;
    const wanted = entries.filter((entry) => !isAbandoned(entry));
    // Without what was abandoned it is of another size than was to be tried.
    return { entries: wanted, probe: probe && wanted.length === entries.length };
  }

  /** Whether a run was planned when more memory was thought to be there, or before it was known how long such runs take. */
  #isOutdated(scope: Scope, entries: readonly QueueEntry<T>[]): boolean {
    const shape = { length: this.#lengthOf(scope, entries), count: entries.length };
    const planner = this.#options.planners[scope];
    return paddedTokens(shape) > planner.mostTokens || planner.isTooLong(shape);
  }

  #dispatch(channel: Channel<T>, { entries, probe }: WaitingRun<T>): Dispatch<T> {
    const now = this.#options.clock.now();
    for (const { request } of entries) {
      if (request.started) continue;
      request.started = true;
      this.#waits[channel.lane].add(now - request.arrivedMs);
    }
    const length = this.#lengthOf(channel.scope, entries);
    return { lane: channel.lane, scope: channel.scope, length, count: entries.length, texts: entries, probe, entries };
  }

  /** Tokens each text of a run takes: padded to the longest, or on average in a bag. */
  #lengthOf(scope: Scope, entries: readonly QueueEntry<T>[]): number {
    const { lengthSteps, bagScopes } = this.#options;
    let longest = 0;
    let sum = 0;
    for (const { tokens } of entries) {
      longest = Math.max(longest, tokens);
      sum += tokens;
    }
    return bagScopes?.includes(scope) === true ? sum / entries.length : roundLength(longest, lengthSteps[scope]);
  }

  /** Whether so many more texts fit, once the abandoned ones are gone. */
  #makeRoom(texts: number): boolean {
    const { capacityTexts } = this.#options;
    const fits = (): boolean => this.#size === 0 || this.#size + texts <= capacityTexts;
    if (!fits()) this.#dropAbandoned();
    if (fits()) return true;
    // What does not fit now can't be waited for either.
    for (const channel of this.#channels) channel.expectsMore = false;
    return false;
  }

  #dropAbandoned(): void {
    for (const channel of this.#channels) this.#size -= channel.dropAbandoned();
  }
}

/** What waits in one lane for one scope. */
class Channel<T> {
  readonly lane: Lane;
  readonly scope: Scope;
  /** In order of arrival. */
  waiting: QueueEntry<T>[] = [];
  /** Runs of the window being worked through. */
  runs: WaitingRun<T>[] = [];
  /** Whether more is on its way. */
  expectsMore = false;

  constructor(lane: Lane, scope: Scope) {
    this.lane = lane;
    this.scope = scope;
  }

  get isEmpty(): boolean {
    return this.waiting.length === 0 && this.runs.length === 0;
  }

  /** Smaller goes first: an open window, then the oldest request. */
  get rank(): number {
    return this.runs.length > 0 ? -Infinity : (this.waiting[0]?.request.arrivedMs ?? Infinity);
  }

  forgetPlan(): void {
    this.waiting = [...this.runs.splice(0).flatMap(({ entries }) => entries), ...this.waiting];
  }

  takeAll(): QueueEntry<T>[] {
    this.forgetPlan();
    const texts = this.waiting;
    this.waiting = [];
    return texts;
  }

  dropAbandoned(): number {
    const kept = this.waiting.filter((entry) => !isAbandoned(entry));
    const dropped = this.waiting.length - kept.length;
    this.waiting = kept;
    return dropped;
  }
}

function isAbandoned(entry: QueueEntry<unknown>): boolean {
  return entry.request.signal?.aborted === true;
}
