import type { Clock } from '../../base/clock.ts';
import type { DisposableLike } from '../../base/disposable.ts';
import { afterAwake } from '../../base/awakeTimer.ts';

/** Runs take seconds at the most, loading a model for a graphics processor minutes. */
const LONGEST_MS = 5 * 60_000;
/** Padded tokens it is enough for where sizes are measured, and where a person has set how many texts a run has: of a model of billions of weights these take long. */
const TOKENS = { measured: 16_384, fixed: 2048 } as const;
/** A run hangs where it takes so many times as long, a token, as the slowest of the largest ones so far: on a busy machine a process of low priority may get a fortieth of a processor. */
const TIMES_AS_SLOW = 100;

/**
 * Notices that a process does not get on with what it was asked for: a driver that hangs tells nobody. What it has begun is known from what it says, but
 * not for certain: what was said just before may be on its way for as long as a driver keeps the process from sending the rest.
 */
export class HangWatch implements DisposableLike {
  readonly #clock: Clock;
  readonly #onHang: () => void;
  #timer: DisposableLike | undefined;
  /** Requests without an answer. */
  #asked = 0;
  #hasBegun = false;
  #run: { readonly tokens: number; readonly begunMs: number } | undefined;
  /** Tokens of the largest run that has ended, and the slowest pace of those of its size, from half of it on. */
  #largest = { tokens: 0, msPerToken: 0 };
  #isDisposed = false;

  /**
   * `onHang` is called when something that was begun does not end within five minutes, or five for each 16,384 tokens of it (2,048 where a person has set its size), or
   * sooner, though not before five minutes, where it takes a hundred times as long, a token, as the slowest of the largest that have ended; or when for five
   * minutes nothing is begun though something was asked for.
   */
  constructor(clock: Clock, onHang: () => void) {
    this.#clock = clock;
    this.#onHang = onHang;
  }

  /** A request was sent; its end is to be told by `answered`. */
  asked(): void {
    this.#asked += 1;
    if (this.#asked === 1 && !this.#hasBegun) this.#restart();
  }

  answered(): void {
    this.#asked -= 1;
    if (this.#asked === 0 && !this.#hasBegun) this.#stop();
  }

  /** A run, or loading, has begun. */
  begin(run?: { readonly tokens: number; readonly isFixed: boolean }): void {
    this.#hasBegun = true;
    this.#run = run && { tokens: run.tokens, begunMs: this.#clock.now() };
    this.#restart(run === undefined ? LONGEST_MS : this.#limitMs(run));
  }

  /** It has ended, or its process has; `hasSucceeded`: it is a run that did what it was to. */
  end(hasSucceeded = false): void {
    if (hasSucceeded && this.#run !== undefined) this.#learn(this.#run);
    this.#run = undefined;
    this.#hasBegun = false;
    if (this.#asked > 0) this.#restart();
    else this.#stop();
  }

  /** Another process may have another device. */
  forget(): void {
    this.#largest = { tokens: 0, msPerToken: 0 };
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#stop();
  }

  #learn({ tokens, begunMs }: { readonly tokens: number; readonly begunMs: number }): void {
    const msPerToken = (this.#clock.now() - begunMs) / tokens;
    const { tokens: largest, msPerToken: slowest } = this.#largest;
    if (tokens > 2 * largest) this.#largest = { tokens, msPerToken };
    else if (tokens >= largest / 2)
      this.#largest = { tokens: Math.max(tokens, largest), msPerToken: Math.max(slowest, msPerToken) };
  }

  #limitMs({ tokens, isFixed }: { readonly tokens: number; readonly isFixed: boolean }): number {
    const unmeasuredMs = LONGEST_MS * Math.ceil(tokens / TOKENS[isFixed ? 'fixed' : 'measured']);
    const { tokens: largest, msPerToken } = this.#largest;
    const asBeforeMs = largest === 0 ? Infinity : TIMES_AS_SLOW * msPerToken * tokens;
    return Math.max(LONGEST_MS, Math.min(unmeasuredMs, asBeforeMs));
  }

  #restart(limitMs = LONGEST_MS): void {
    this.#stop();
    if (!this.#isDisposed) this.#timer = afterAwake(this.#clock, limitMs, this.#onHang);
  }

  #stop(): void {
    this.#timer?.dispose();
    this.#timer = undefined;
  }
}
