/** Work that pauses longer is new work. */
const PAUSE_MS = 2_000;

/** How long the present bulk work has gone on, and for how much of that time there was some. */
export class BulkWork {
  readonly #now: () => number;
  #calls = 0;
  #sinceMs = -Infinity;
  /** Calls were under way for so long since then, but for those that are. */
  #busyMs = 0;
  #busySinceMs = 0;
  #idleSinceMs = -Infinity;

  /** `now` in milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether calls are under way. */
  get isUnderWay(): boolean {
    return this.#calls > 0;
  }

  get lastedMs(): number {
    return this.#now() - this.#sinceMs;
  }

  /** Share of that time, 0 to 1, in which calls were under way. */
  get busyShare(): number {
    const busyMs = this.#busyMs + (this.isUnderWay ? this.#now() - this.#busySinceMs : 0);
    return this.lastedMs > 0 ? busyMs / this.lastedMs : 0;
  }

  /** Work has come, which may have to wait before it begins. */
  arrive(): void {
    const now = this.#now();
    if (this.isUnderWay || now - this.#idleSinceMs <= PAUSE_MS) return;
    this.#sinceMs = now;
    this.#busyMs = 0;
  }

  beginCall(): void {
    if (!this.isUnderWay) this.#busySinceMs = this.#now();
    this.#calls += 1;
  }

  endCall(): void {
    this.#calls -= 1;
    if (this.isUnderWay) return;
    this.#idleSinceMs = this.#now();
    this.#busyMs += this.#idleSinceMs - this.#busySinceMs;
  }
}
