/** What the last search had to do without, for as long as nothing has changed that may have mended it. */
export class SearchTrouble {
  #present: string | null = null;
  #changes = 0;

  /** Null when the last search was whole, or when only the next one will tell. */
  get present(): string | null {
    return this.#present;
  }

  /** An index or the server is another one now: whether it can be searched whole, the next search tells. */
  forget(): void {
    this.#present = null;
    this.#changes += 1;
  }

  /**
   * A search begins. What comes back takes what it lacked, and says whether that is news; a search that began before the last
   * change says nothing of how things are.
   */
  begin(): (lacked: string | null) => boolean {
    const changes = this.#changes;
    return (lacked) => {
      if (changes !== this.#changes || lacked === this.#present) return false;
      this.#present = lacked;
      return true;
    };
  }
}
