/** One piece of work put off until what was drawn before it is on the screen; whoever needs it sooner has it done at once. */
export class AfterPaint {
  readonly #onFrame: (draw: () => void) => void;
  #work: (() => void) | undefined;

  /** @param onFrame has something called before the next frame is painted */
  constructor(onFrame: (draw: () => void) => void) {
    this.#onFrame = onFrame;
  }

  get isWaiting(): boolean {
    return this.#work !== undefined;
  }

  /** Takes the place of what was put off before. */
  put(work: () => void): void {
    this.#work = work;
    // A task that is begun then comes after the painting.
    this.#onFrame(() =>
      setTimeout(() => {
        if (this.#work === work) this.doNow();
      }),
    );
  }

  doNow(): void {
    const work = this.#work;
    this.#work = undefined;
    work?.();
  }

  drop(): void {
    this.#work = undefined;
  }
}
