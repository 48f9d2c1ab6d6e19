import { type CancellationSignal, cancelledError, isCancelled, throwIfCancelled } from '../../base/cancellation.ts';
import { Disposable } from '../../base/disposable.ts';
import { TesseraError, errorMessage, toTesseraError } from '../../base/errors.ts';
import type { Event } from '../../base/event.ts';
import { Emitter } from '../../base/event.ts';
import type { Logger } from '../../base/logger.ts';
import { mergeMetrics } from '../../embedding/mergeMetrics.ts';
import type { ProcessState } from '../../process/processSupervisor.ts';
import {
  type DeviceName,
  type EmbedParams,
  type EmbedResult,
  type EmbedderMetrics,
  type EmbedderSettings,
  LANES,
  type ModelInfo,
  type TokenVectors,
  type TokenVectorsParams,
} from '../../protocol/embedder.ts';
import { splitDeviceName } from '../../protocol/deviceNames.ts';
import type { Scope } from '../../protocol/scope.ts';
import { EmbedJob } from './embedJob.ts';
import type { Embedder } from './embedder.ts';
import { EmbedderClient, type EmbedderClientOptions } from './embedderClient.ts';
import { besideTheGone } from './metricsInTurn.ts';
import { PoolMember } from './poolMember.ts';
import { requireSameModels } from './sameModels.ts';
import { shareOut } from './shareOut.ts';

/** A call whose texts are embedded by several members. */
interface SharedCall {
  readonly job: EmbedJob;
  /** Fires when nobody waits for the rest any more. */
  readonly over: AbortController;
}

/**
 * Several embedder processes behind one queue: work waits here, and whoever has room takes from it. A process that dies is started
 * again by its client; what one that fails for good was given goes to the others.
 */
export class EmbedderPool extends Disposable implements Embedder {
  #members: readonly PoolMember[];
  /** In order of arrival. */
  readonly #calls = new Set<SharedCall>();
  #isHandingOut = false;
  /** What members did that were let go. */
  #ofGone: EmbedderMetrics | null = null;
  #restartsOfGone = 0;
  readonly #logger: Logger | undefined;
  readonly #stateEmitter = this.own(new Emitter<ProcessState>());
  readonly onState: Event<ProcessState> = this.#stateEmitter.event;

  /** A process for each of the options. */
  constructor(members: readonly EmbedderClientOptions[]) {
    super();
    this.#logger = members[0]?.logger;
    this.#members = members.map((options) => new PoolMember(this.own(new EmbedderClient(options)), options.clock));
    this.#members.forEach(({ client }, place) => {
      const { logger, settings } = members[place] ?? {};
      const device = settings?.device;
      this.own(
        client.onState((state) => {
          if (state.kind === 'failed') {
            logger?.warn('an embedder process is given up, the others do its work', {
              device,
              error: state.error.message,
            });
          }
          this.#stateEmitter.fire(this.state);
        }),
      );
    });
  }

  /** That of the first that has not failed; failed when all have. */
  get state(): ProcessState {
    const [first] = this.#members;
    return (this.#alive[0] ?? first)?.client.state ?? { kind: 'stopped' };
  }

  get restarts(): number {
    return this.#members.reduce((sum, { client }) => sum + client.restarts, this.#restartsOfGone);
  }

  /** Why a member does nothing any more; undefined when all do. */
  get failure(): TesseraError | undefined {
    for (const { client } of this.#members) if (client.state.kind === 'failed') return client.state.error;
    return undefined;
  }

  /** What each member's process has opened, by its place; undefined while it has none. */
  get running(): readonly (Readonly<Record<Scope, ModelInfo>> | undefined)[] {
    return this.#members.map(({ client }) => client.running);
  }

  forgive(): void {
    for (const { client } of this.#members) client.forgive();
  }

  /** Opens all, and tells what came of each. */
  openEach(signal?: CancellationSignal): Promise<PromiseSettledResult<Readonly<Record<Scope, ModelInfo>>>[]> {
    return Promise.allSettled(this.#members.map(({ client }) => client.open(signal)));
  }

  /** Lets members go, by their places among those it has; at least one has to stay. What they were given goes to the others. */
  drop(places: readonly number[]): void {
    const gone = this.#members.filter((_, place) => places.includes(place));
    this.#members = this.#members.filter((member) => !gone.includes(member));
    for (const { client } of gone) {
      this.#restartsOfGone += client.restarts;
      // Its work is not to wait for an answer: what it told last is as good.
      client.dispose();
      void this.#keepFigures(client);
    }
  }

  /** Opens all; rejects when none can be opened, or with `model-invalid` when they have not opened the same models. */
  async open(signal?: CancellationSignal): Promise<Readonly<Record<Scope, ModelInfo>>> {
    const opened = await this.openEach(signal);
    throwIfCancelled(signal);
    const [first, ...rest] = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    for (const models of rest) if (first !== undefined) requireSameModels(first, models);
    if (first !== undefined) return first;
    for (const result of opened) if (result.status === 'rejected') throw toTesseraError(result.reason);
    throw new TesseraError('internal', 'An embedder needs a session.');
  }

  async embed(params: EmbedParams, signal?: CancellationSignal): Promise<EmbedResult> {
    const { dimension } = (await this.open(signal))[params.scope];
    const call: SharedCall = { job: new EmbedJob(params, dimension), over: new AbortController() };
    const { done } = call.job;
    const onAbort = (): void => done.reject(cancelledError());
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#calls.add(call);
    this.#handOut();
    try {
      return await done.promise;
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#calls.delete(call);
      call.over.abort();
    }
  }

  async embedTokens(params: TokenVectorsParams, signal?: CancellationSignal): Promise<TokenVectors> {
    return this.#readiest().client.embedTokens(params, signal);
  }

  async countTokens(texts: readonly string[], scope: Scope, signal?: CancellationSignal): Promise<Uint32Array> {
    return this.#readiest().client.countTokens(texts, scope, signal);
  }

  async metrics(): Promise<EmbedderMetrics | null> {
    const all = await Promise.all(
      this.#members.map(async ({ client }) => ({ device: client.device, metrics: await client.metrics() })),
    );
    const parts = all.flatMap(({ device, metrics }) => (metrics === null ? [] : [{ device, metrics }]));
    const [first, ...rest] = parts.map(({ metrics }) => metrics);
    if (first === undefined) return null;
    const present = mergeMetrics([first, ...rest]);
    const whole = this.#ofGone === null ? present : besideTheGone(this.#ofGone, present);
    if (new Set(parts.map(({ device }) => device)).size === 1) return whole;
    const devices = parts.map(({ device, metrics: { scopes, rssMb, gpuUtilization } }) => ({
      device,
      scopes,
      rssMb,
      gpuUtilization,
    }));
    return { ...whole, devices };
  }

  override dispose(): void {
    for (const { job } of this.#calls) job.done.reject(new TesseraError('disposed', 'The embedder was shut down.'));
    super.dispose();
  }

  async #keepFigures(client: EmbedderClient): Promise<void> {
    try {
      const last = await client.metrics();
      if (last !== null) this.#ofGone = this.#ofGone === null ? last : mergeMetrics([this.#ofGone, last]);
    } catch (error) {
      this.#logger?.debug('figures were lost', { message: errorMessage(error) });
    }
  }

  get #alive(): readonly PoolMember[] {
    return this.#members.filter((member) => member.isAlive);
  }

  /** Soon, once for all texts that are answered together. */
  #handOutSoon(): void {
    if (this.#isHandingOut) return;
    this.#isHandingOut = true;
    queueMicrotask(() => {
      this.#isHandingOut = false;
      this.#handOut();
    });
  }

  /** Gives what waits to whoever has room, the most urgent first. */
  #handOut(): void {
    const alive = this.#alive;
    const { failure } = this;
    for (const lane of LANES) {
      for (const call of this.#calls) {
        const { job } = call;
        if (job.params.lane !== lane || job.done.isSettled || !job.hasUnsent) continue;
        if (alive.length === 0 && failure !== undefined) job.done.reject(failure);
        else if (lane === 'query') void this.#give(call, this.#readiest(), job.unsent.texts);
        else {
          const counts = shareOut(
            alive.map((member) => member.asTaker(lane)),
            job.unsent,
          );
          alive.forEach((member, index) => void this.#give(call, member, counts[index] ?? 0));
          // Nobody has room for more of this lane.
          if (job.unsent.texts > 0) break;
        }
      }
    }
  }

  async #give(call: SharedCall, member: PoolMember, count: number): Promise<void> {
    const { job, over } = call;
    if (count === 0) return;
    const indices = job.takeUnsent(count, Infinity);
    const params = { ...job.params, texts: indices.map((index) => job.textAt(index)) };
    try {
      const result = await member.embed(params, over.signal, () => this.#handOutSoon());
      const { vectors, dimension, tokenCounts, failures } = result;
      for (const { index, reason } of failures) job.addFailure(indices[index] ?? 0, reason);
      indices.forEach((index, row) =>
        job.addRow(index, vectors.subarray(row * dimension, (row + 1) * dimension), tokenCounts[row] ?? 0),
      );
    } catch (error) {
      // Nobody waits for these any more when the call is over, but others may for the room they had.
      if (!isCancelled(error)) {
        if (member.isAlive && this.#members.includes(member)) job.done.reject(toTesseraError(error));
        else job.putBack(indices);
      }
    }
    this.#handOutSoon();
  }

  /** Who answers a query soonest: whose process is there, then nobody's before it, then as few as may be, then by speed. */
  #readiest(): PoolMember {
    const alive = this.#alive;
    const [first] = alive.length > 0 ? alive : this.#members;
    if (first === undefined) throw new TesseraError('internal', 'An embedder needs a session.');
    return alive.reduce((best, member) => (isReadier(member, best) ? member : best), first);
  }
}

/** The kind of graph each scope has on a device, whatever comes to run it: `auto` never takes another than the processor's. */
export function graphsOf(device: DeviceName): NonNullable<EmbedderSettings['graphFor']> {
  const { provider } = splitDeviceName(device);
  const graph = provider === 'auto' ? 'cpu' : provider;
  return { code: graph, docs: graph };
}

/** Options of so many processes that share the memory of one, and its threads where none are given for each. */
export function sharing(
  options: EmbedderClientOptions,
  processes: number,
  threads?: number,
): readonly EmbedderClientOptions[] {
  // One that cannot have the device is to have the same vectors on the processor.
  const settings = { ...options.settings, graphFor: options.settings.graphFor ?? graphsOf(options.settings.device) };
  const own = threads === undefined ? {} : { threads };
  return Array.from({ length: processes }, () => ({ ...options, settings, processes, ...own }));
}

function isReadier(member: PoolMember, than: PoolMember): boolean {
  // One whose process ended begins with loading the model.
  if (member.isRunning !== than.isRunning) return member.isRunning;
  const isIdle = member.heldChars === 0;
  if (isIdle !== (than.heldChars === 0)) return isIdle;
  if (member.queryChars !== than.queryChars) return member.queryChars < than.queryChars;
  return (member.charsPerMs ?? 0) > (than.charsPerMs ?? 0);
}
