import type { Clock } from '../base/clock.ts';
import { type TesseraError, toTesseraError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { FolderStatus } from '../protocol/server.ts';

/** Opening the models and the index, a full pass, following changes. */
export type FailedWork = 'opening' | 'indexing' | 'following';

const ERRORS_KEPT = 20;

/** What is wrong with an index, and what was lately. */
export class IndexTroubles {
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** What each kind of work last failed with, until it succeeds. */
  #failures: Readonly<Partial<Record<FailedWork, TesseraError>>> = {};
  #errors: FolderStatus['lastErrors'] = [];

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** What is wrong now: what keeps the index from being opened first. */
  get present(): TesseraError | undefined {
    const { opening, indexing, following } = this.#failures;
    return opening ?? indexing ?? following;
  }

  /** The last errors, oldest first, mended or not. */
  get errors(): FolderStatus['lastErrors'] {
    return this.#errors;
  }

  /** Whether this work failed with this very error. */
  isOf(work: FailedWork, error: unknown): boolean {
    return error === this.#failures[work];
  }

  fail(work: FailedWork, error: unknown): void {
    this.#failures = { ...this.#failures, [work]: this.note(error) };
  }

  succeed(...works: readonly FailedWork[]): void {
    const failed = Object.entries(this.#failures).filter(([work]) => !works.some((done) => done === work));
    this.#failures = Object.fromEntries(failed);
  }

  /** Logs and remembers an error that keeps nothing from working. */
  note(error: unknown): TesseraError {
    const known = toTesseraError(error);
    this.#logger.error(known.message, { code: known.code });
    const time = new Date(this.#clock.wallTime()).toISOString();
    this.#errors = [...this.#errors, { time, code: known.code, message: known.message }].slice(-ERRORS_KEPT);
    return known;
  }
}
