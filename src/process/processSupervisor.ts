import { afterAwake } from '../base/awakeTimer.ts';
import type { Clock } from '../base/clock.ts';
import { Deferred } from '../base/deferred.ts';
import { Disposable, type DisposableLike } from '../base/disposable.ts';
import { TesseraError, toTesseraError } from '../base/errors.ts';
import { Emitter } from '../base/event.ts';
import type { Logger } from '../base/logger.ts';
import type { EventMap, RequestMap } from '../protocol/wire.ts';
import type { ChildExit, ChildHandle } from './childProcess.ts';
import { RequestClient } from './requestClient.ts';
import { RestartPolicy } from './restartPolicy.ts';

/** A start takes a second of the processor, of which a child of low priority gets a fortieth where all are busy with something else. */
const START_TIMEOUT_MS = 180_000;
/** Starts in a row that took longer before no further one is made. */
const MAX_SLOW_STARTS = 2;

/** A running child and the requests to it. Holders drop what belongs to a generation that is not the current one. */
export interface RunningChild<R extends RequestMap, E extends EventMap> {
  /** Counts starts from 1. */
  readonly generation: number;
  readonly pid: number | undefined;
  readonly client: RequestClient<R, E>;
}

export type ProcessState =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'starting'; readonly generation: number }
  | { readonly kind: 'running'; readonly generation: number; readonly pid: number | undefined }
  | { readonly kind: 'stopping'; readonly generation: number }
  | { readonly kind: 'failed'; readonly error: TesseraError };

/** An unasked-for end of a process. */
export interface ProcessDeath extends ChildExit {
  readonly generation: number;
}

export interface SupervisorOptions<R extends RequestMap, E extends EventMap> {
  /** What the process is called in errors and logs: `index server`, `embedder`. */
  readonly name: string;
  readonly spawn: () => ChildHandle;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Runs after each start, before anybody else may send. A rejection that is not a death stops the child and fails `connect`. */
  readonly prepare?: (child: RunningChild<R, E>) => Promise<void>;
  readonly restartPolicy?: RestartPolicy;
  /** Starts a new child as soon as one died, rather than at the next `connect`. */
  readonly keepAlive?: boolean;
  /** How long a child may take to send `ready`. */
  readonly startTimeoutMs?: number;
  /** How long a child may take to leave after `stop`. */
  readonly stopGraceMs?: number;
  readonly maxInFlight?: number;
}

interface Attempt<R extends RequestMap, E extends EventMap> {
  readonly generation: number;
  readonly ready: Deferred<RunningChild<R, E>>;
  handle: ChildHandle | undefined;
  client: RequestClient<R, E> | undefined;
  timer: DisposableLike | undefined;
  /** It did not announce itself in time; what it says now comes too late. */
  isEnding: boolean;
}

/**
 * Keeps one child process: starts it when it is needed, tells when it dies, starts it again within the limits of its
 * restart policy and gives up beyond them. Children announce themselves with the event `ready`.
 */
export class ProcessSupervisor<R extends RequestMap, E extends EventMap & { ready: unknown }> extends Disposable {
  readonly #options: SupervisorOptions<R, E>;
  readonly #stateEmitter = new Emitter<ProcessState>();
  readonly #deathEmitter = new Emitter<ProcessDeath>();
  readonly onState = this.#stateEmitter.event;
  /** Fires after every request to the dead child has been rejected. */
  readonly onDeath = this.#deathEmitter.event;
  #policy: RestartPolicy;
  #state: ProcessState = { kind: 'stopped' };
  #attempt: Attempt<R, E> | undefined;
  #generation = 0;
  #deaths = 0;
  /** Starts since the last that came to its end, or was forgiven, of which nothing was heard in time. */
  #slowStarts = 0;
  #earliestStartMs = -Infinity;
  #stopped: Deferred<void> | undefined;

  constructor(options: SupervisorOptions<R, E>) {
    super();
    this.#options = options;
    this.#policy = options.restartPolicy ?? new RestartPolicy();
    this.own(this.#stateEmitter);
    this.own(this.#deathEmitter);
  }

  get state(): ProcessState {
    return this.#state;
  }

  /** Unasked-for ends so far. */
  get deathCount(): number {
    return this.#deaths;
  }

  /**
   * The running child, started first when there is none. Rejects with `process-exited` when it died too often lately,
   * `process-unresponsive` when it did not announce itself, twice in a row, or what `prepare` failed with.
   */
  async connect(): Promise<RunningChild<R, E>> {
    while (this.#stopped !== undefined) await this.#stopped.promise;
    if (this.isDisposed) throw new TesseraError('disposed', `The ${this.#options.name} was shut down.`);
    if (this.#state.kind === 'failed') throw this.#state.error;
    this.#attempt ??= this.#start(new Deferred());
    return this.#attempt.ready.promise;
  }

  /** Lets the child leave in its own time, then kills it. Pending requests reject with `disposed`. Idempotent. */
  async stop(): Promise<void> {
    if (this.#stopped !== undefined) return this.#stopped.promise;
    const attempt = this.#attempt;
    if (attempt === undefined) {
      this.#setState({ kind: 'stopped' });
      return;
    }
    const stopped = new Deferred<void>();
    this.#stopped = stopped;
    const reason = new TesseraError('disposed', `The ${this.#options.name} was stopped.`);
    this.#setState({ kind: 'stopping', generation: attempt.generation });
    attempt.timer?.dispose();
    attempt.ready.reject(reason);
    attempt.client?.close(reason);
    if (attempt.handle === undefined) this.#afterStop();
    else attempt.handle.stop(this.#options.stopGraceMs ?? 3000);
    return stopped.promise;
  }

  /** Ends a child that answers nothing any more; it counts as a death. */
  kill(): void {
    this.#attempt?.handle?.kill();
  }

  /** Ends a child for good that is of no use: `connect` and what is pending reject with `error`, until it is forgiven. */
  giveUp(error: TesseraError): void {
    if (this.#attempt !== undefined && this.#stopped === undefined) this.#fail(this.#attempt, error);
  }

  /** Forgets past deaths and a failure, so that the next `connect` tries again. */
  forgive(): void {
    this.#slowStarts = 0;
    this.#policy = this.#policy.forgiven();
    this.#earliestStartMs = -Infinity;
    if (this.#state.kind === 'failed') this.#setState({ kind: 'stopped' });
  }

  override dispose(): void {
    if (this.isDisposed) return;
    const attempt = this.#attempt;
    this.#attempt = undefined;
    attempt?.timer?.dispose();
    const reason = new TesseraError('disposed', `The ${this.#options.name} was shut down.`);
    attempt?.ready.reject(reason);
    attempt?.client?.close(reason);
    attempt?.handle?.dispose();
    // Unset first: whoever waits in `connect` for the stop looks again.
    const stopped = this.#stopped;
    this.#stopped = undefined;
    stopped?.resolve();
    super.dispose();
  }

  #start(ready: Deferred<RunningChild<R, E>>): Attempt<R, E> {
    const attempt: Attempt<R, E> = {
      generation: ++this.#generation,
      ready,
      handle: undefined,
      client: undefined,
      timer: undefined,
      isEnding: false,
    };
    // Nobody may be waiting for a restart that fails; the state tells.
    attempt.ready.promise.catch(() => undefined);
    this.#setState({ kind: 'starting', generation: attempt.generation });
    const delayMs = Math.max(0, this.#earliestStartMs - this.#options.clock.now());
    // Never at once, so that the caller has taken hold of the attempt before anything can happen to it.
    attempt.timer = this.#options.clock.after(delayMs, () => this.#spawn(attempt));
    return attempt;
  }

  #spawn(attempt: Attempt<R, E>): void {
    const { name, logger, startTimeoutMs = START_TIMEOUT_MS, maxInFlight } = this.#options;
    let handle: ChildHandle;
    try {
      handle = this.#options.spawn();
    } catch (error) {
      // Some refusals of the system (no memory, a command line too long) are thrown rather than told by the child's end.
      this.#fail(attempt, toTesseraError(error));
      return;
    }
    const client = new RequestClient<R, E>(handle.link, maxInFlight === undefined ? {} : { maxInFlight });
    attempt.handle = handle;
    attempt.client = client;
    logger.debug('process started', { name, generation: attempt.generation, pid: handle.pid });
    handle.onOutput((line) => logger.debug('process output', { name, line }));
    handle.onExit((exit) => this.#exited(attempt, exit));
    this.#watchStart(attempt, handle, startTimeoutMs);
    client.on('ready', () => {
      if (!attempt.isEnding) void this.#prepare(attempt, { generation: attempt.generation, pid: handle.pid, client });
    });
  }

  /** Ends a child that does not announce itself, which is a death like any other, and gives up when that was no help. */
  #watchStart(attempt: Attempt<R, E>, handle: ChildHandle, timeoutMs: number): void {
    const { name, clock, logger } = this.#options;
    attempt.timer = afterAwake(clock, timeoutMs, () => {
      this.#slowStarts += 1;
      if (this.#slowStarts < MAX_SLOW_STARTS) {
        logger.warn('process did not start in time and is ended', { name, generation: attempt.generation, timeoutMs });
        attempt.isEnding = true;
        // Watched on: it may be beyond being ended.
        this.#watchStart(attempt, handle, timeoutMs);
        handle.kill();
        return;
      }
      const seconds = Math.round(timeoutMs / 1000);
      const message = attempt.isEnding
        ? `The ${name} did not start within ${seconds} s, and could not be ended.`
        : `The ${name} did not start within ${seconds} s, also after another try.`;
      this.#fail(attempt, new TesseraError('process-unresponsive', message, { details: { name, timeoutMs } }));
    });
  }

  async #prepare(attempt: Attempt<R, E>, child: RunningChild<R, E>): Promise<void> {
    attempt.timer?.dispose();
    this.#slowStarts = 0;
    try {
      await this.#options.prepare?.(child);
    } catch (error) {
      const failure = toTesseraError(error);
      // The child's end is answered by the restart policy, and being stopped meanwhile is no failure.
      if (failure.code !== 'process-exited' && this.#stopped === undefined) this.#fail(attempt, failure);
      return;
    }
    if (this.#attempt !== attempt || this.#stopped !== undefined) return;
    this.#setState({ kind: 'running', generation: attempt.generation, pid: child.pid });
    attempt.ready.resolve(child);
  }

  #exited(attempt: Attempt<R, E>, exit: ChildExit): void {
    const { name, clock, logger, keepAlive = false } = this.#options;
    attempt.timer?.dispose();
    const error = exitError(name, exit);
    attempt.client?.close(error);
    if (this.#attempt !== attempt) return;
    if (this.#stopped !== undefined) {
      this.#afterStop();
      return;
    }
    this.#attempt = undefined;
    this.#deaths += 1;
    logger.warn('process died', {
      name,
      generation: attempt.generation,
      code: exit.code,
      signal: exit.signal,
      stderr: exit.stderrTail,
    });
    const isWaitedFor = !attempt.ready.isSettled;
    const decision = this.#policy.afterDeath(clock.now(), !isWaitedFor);
    this.#policy = decision.policy;
    if (decision.kind === 'give-up') {
      this.#setState({ kind: 'failed', error });
      attempt.ready.reject(error);
      this.#deathEmitter.fire({ ...exit, generation: attempt.generation });
      return;
    }
    this.#earliestStartMs = clock.now() + decision.delayMs;
    // Whoever waits for the child that died waits for the next one.
    if (keepAlive || isWaitedFor) this.#attempt = this.#start(isWaitedFor ? attempt.ready : new Deferred());
    else this.#setState({ kind: 'stopped' });
    this.#deathEmitter.fire({ ...exit, generation: attempt.generation });
  }

  #fail(attempt: Attempt<R, E>, error: TesseraError): void {
    if (this.#attempt !== attempt) return;
    this.#attempt = undefined;
    attempt.timer?.dispose();
    attempt.client?.close(error);
    attempt.handle?.dispose();
    this.#setState({ kind: 'failed', error });
    attempt.ready.reject(error);
  }

  #afterStop(): void {
    this.#attempt = undefined;
    const stopped = this.#stopped;
    this.#stopped = undefined;
    this.#setState({ kind: 'stopped' });
    stopped?.resolve();
  }

  #setState(state: ProcessState): void {
    this.#state = state;
    this.#stateEmitter.fire(state);
  }
}

function exitError(name: string, exit: ChildExit): TesseraError {
  const how = exit.signal === null ? `with status ${exit.code ?? 'unknown'}` : `by ${exit.signal}`;
  return new TesseraError('process-exited', `The ${name} ended ${how}.`, {
    details: { name, code: exit.code, signal: exit.signal },
  });
}
