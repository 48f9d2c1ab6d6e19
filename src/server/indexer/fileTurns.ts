/**
 * Keeps an older reading of a file from overwriting a newer one when two passes work at once (a save during a full pass). A turn is
 * taken before a file is read and shown when its rows are handed to the store, which takes changes in the order they are handed over.
 */
export class FileTurns {
  #next = 1;
  #passes = 0;
  readonly #latest = new Map<string, number>();

  /** Passes that overlap share what they know; when the last one ends, it is forgotten. */
  startPass(): void {
    this.#passes += 1;
  }

  endPass(): void {
    this.#passes -= 1;
    if (this.#passes === 0) this.#latest.clear();
  }

  take(): number {
    return this.#next++;
  }

  /** Whether rows of this turn are the newest for the file; if so they count as handed over. */
  claim(path: string, turn: number): boolean {
    if ((this.#latest.get(path) ?? 0) > turn) return false;
    this.#latest.set(path, turn);
    return true;
  }
}
