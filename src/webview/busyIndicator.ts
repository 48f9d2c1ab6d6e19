import { element } from './dom.ts';

/** Most answers are here sooner; a bar that flashes on every key would only disturb. */
const SHOWN_AFTER_MS = 150;

/** Shows that a search is under way, once it takes long enough to be noticed. */
export class BusyIndicator {
  readonly bar = element('div', { class: 'busy-bar', 'aria-hidden': 'true' });
  readonly #show: (isShown: boolean) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isBusy = false;

  /** @param show told when the person is to see that a search runs, and when no longer */
  constructor(show: (isShown: boolean) => void) {
    this.#show = show;
  }

  get isBusy(): boolean {
    return this.#isBusy;
  }

  set isBusy(isBusy: boolean) {
    this.#isBusy = isBusy;
    clearTimeout(this.#timer);
    if (isBusy) this.#timer = setTimeout(() => this.#draw(true), SHOWN_AFTER_MS);
    else this.#draw(false);
  }

  #draw(isShown: boolean): void {
    this.#show(isShown);
    this.bar.classList.toggle('active', isShown);
  }
}
