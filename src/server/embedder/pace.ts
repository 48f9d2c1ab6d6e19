/** Speed is read off at such intervals: several answers come at once when a run is over. */
const SAMPLE_MS = 200;
/** What follows the very first answer so soon came with it. */
const TOGETHER_MS = 5;
/** What was done longer ago than this says little about the present: a machine grows hot, another program starts. */
const MEMORY_MS = 5_000;
/** A pace that nobody has seen for so long may be another by now. */
const STALE_MS = 30_000;

/** How fast somebody works, by the characters of the texts that are done. Pauses for want of work are left out. */
export class Pace {
  /** Since then `#pendingChars` were done; undefined before the first answer, which pays for the start and is not counted. */
  #sinceMs: number | undefined;
  #pendingChars = 0;
  #chars = 0;
  #workedMs = 0;
  #seenMs = -Infinity;

  /** Work has come to somebody who had none. */
  begin(nowMs: number): void {
    if (nowMs - this.#seenMs > STALE_MS) this.forget();
    else this.#sinceMs = nowMs;
  }

  /** Some of it is done. */
  done(chars: number, nowMs: number): void {
    this.#seenMs = nowMs;
    this.#sinceMs ??= nowMs;
    const tookMs = nowMs - this.#sinceMs;
    if (this.#workedMs > 0 || tookMs >= TOGETHER_MS) this.#pendingChars += chars;
    if (tookMs >= SAMPLE_MS) this.#takeSample(tookMs);
  }

  /** All of it is done. */
  end(nowMs: number): void {
    if (this.#sinceMs !== undefined) this.#takeSample(nowMs - this.#sinceMs);
  }

  /** It is somebody else who works from now on. */
  forget(): void {
    this.#sinceMs = undefined;
    this.#pendingChars = 0;
    this.#chars = 0;
    this.#workedMs = 0;
    this.#seenMs = -Infinity;
  }

  /** Undefined while it is unknown, or not known any more. */
  charsPerMs(nowMs: number): number | undefined {
    if (this.#workedMs === 0 || nowMs - this.#seenMs > STALE_MS) return undefined;
    return this.#chars / this.#workedMs;
  }

  #takeSample(tookMs: number): void {
    if (this.#pendingChars === 0) return;
    const kept = Math.exp(-tookMs / MEMORY_MS);
    this.#chars = this.#chars * kept + this.#pendingChars;
    this.#workedMs = this.#workedMs * kept + tookMs;
    this.#pendingChars = 0;
    this.#sinceMs = (this.#sinceMs ?? 0) + tookMs;
  }
}
