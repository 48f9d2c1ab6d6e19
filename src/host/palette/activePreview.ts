import type { Clock } from '../../base/clock.ts';
import { Disposable, type DisposableLike } from '../../base/disposable.ts';

/** Previewing follows the active item, but not through every item a held arrow key passes. */
const DELAY_MS = 60;

/** Shows the item that is active once it has been so for a moment, and never another one after it. */
export class ActivePreview<Item> extends Disposable {
  readonly #clock: Clock;
  readonly #show: (item: Item) => Promise<void>;
  /** The active item, when it was last heard of. */
  #wanted: Item | undefined;
  #waiting: DisposableLike | undefined;
  #shown: Promise<void> = Promise.resolve();

  /** @param show takes as long as it likes; must not reject */
  constructor(clock: Clock, show: (item: Item) => Promise<void>) {
    super();
    this.#clock = clock;
    this.#show = show;
  }

  /** Resolves when the preview being opened is there. */
  get shown(): Promise<void> {
    return this.#shown;
  }

  follow(item: Item | undefined): void {
    this.#waiting?.dispose();
    this.#wanted = item;
    if (item === undefined) return;
    this.#waiting = this.#clock.after(DELAY_MS, () => {
      // One after another: of two at once the slower one would stay, whichever is active.
      this.#shown = this.#shown.then(async () => {
        if (this.#wanted === item && !this.isDisposed) await this.#show(item);
      });
    });
  }

  override dispose(): void {
    this.#waiting?.dispose();
    super.dispose();
  }
}
