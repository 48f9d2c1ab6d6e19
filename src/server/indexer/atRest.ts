import type { Clock } from '../../base/clock.ts';
import { Disposable, type DisposableLike } from '../../base/disposable.ts';

/** Does some work once nothing has been noted for a while; what is noted meanwhile makes it due again. */
export class AtRest extends Disposable {
  readonly #clock: Clock;
  readonly #restMs: number;
  readonly #work: () => Promise<void>;
  #timer: DisposableLike | undefined;
  #working: Promise<void> | undefined;

  /** @param work never rejects */
  constructor(clock: Clock, restMs: number, work: () => Promise<void>) {
    super();
    this.#clock = clock;
    this.#restMs = restMs;
    this.#work = work;
    this.own({ dispose: () => this.forget() });
  }

  /** Settles when the work under way is done; undefined when there is none. */
  get working(): Promise<void> | undefined {
    return this.#working;
  }

  note(): void {
    this.forget();
    if (!this.isDisposed) this.#timer = this.#clock.after(this.#restMs, () => this.#begin());
  }

  /** What was noted until now is not worked off. */
  forget(): void {
    this.#timer?.dispose();
  }

  #begin(): void {
    if (this.#working !== undefined) {
      this.note();
      return;
    }
    this.#working = this.#work().finally(() => {
      this.#working = undefined;
    });
  }
}
