import type { DisposableLike } from '../base/disposable.ts';
import { counted } from '../base/wording.ts';
import type { FolderState, IndexProgress } from '../protocol/server.ts';

/** Where progress goes: a terminal gets a bar that is drawn over, anything else a line now and then. */
export interface ProgressOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Between two lines on something that keeps them all. */
const LINE_EVERY_MS = 2_000;
const BAR_WIDTH = 24;
const CLEAR_LINE = '\r\u001B[2K';

/** Shows how far indexing is. */
export class ProgressView implements DisposableLike {
  readonly #output: ProgressOutput;
  readonly #now: () => number;
  #lastLineMs = Number.NEGATIVE_INFINITY;
  #lastPhase = '';
  #isDrawn = false;

  constructor(output: ProgressOutput, now: () => number = () => performance.now()) {
    this.#output = output;
    this.#now = now;
  }

  show(state: FolderState): void {
    if (state.kind !== 'indexing') return;
    const { progress } = state;
    if (this.#output.isTTY === true) {
      const { columns = 0 } = this.#output;
      this.#output.write(`${CLEAR_LINE}${barText(progress, (columns > 0 ? columns : 80) - 1)}`);
      this.#isDrawn = true;
      return;
    }
    const isNewPhase = progress.phase !== this.#lastPhase;
    if (!isNewPhase && this.#now() - this.#lastLineMs < LINE_EVERY_MS) return;
    this.#lastPhase = progress.phase;
    this.#lastLineMs = this.#now();
    this.#output.write(`${progressText(progress)}\n`);
  }

  dispose(): void {
    if (this.#isDrawn) this.#output.write(CLEAR_LINE);
    this.#isDrawn = false;
  }
}

/** `indexing 120 of 900 files, 85 chunks/s, 12 s left`. */
export function progressText(progress: IndexProgress): string {
  switch (progress.phase) {
    case 'scanning':
      return 'looking for files';
    case 'maintaining':
      return 'tidying the index';
    case 'indexing': {
      const rate = progress.chunksPerSecond > 0 ? `, ${counted(Math.round(progress.chunksPerSecond), 'chunk')}/s` : '';
      const left = progress.secondsLeft === null ? '' : `, ${durationText(progress.secondsLeft)} left`;
      return `indexing ${progress.filesDone} of ${counted(progress.filesTotal, 'file')}${rate}${left}`;
    }
  }
}

/** Without the bar where there is no room for both; never longer than a line, which could not be drawn over. */
function barText(progress: IndexProgress, width: number): string {
  const text = progressText(progress);
  const isCounted = progress.phase === 'indexing' && progress.filesTotal > 0;
  if (!isCounted || BAR_WIDTH + 1 + text.length > width) return text.slice(0, width);
  const filled = Math.round((progress.filesDone / progress.filesTotal) * BAR_WIDTH);
  return `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)} ${text}`;
}

/** `8 s`, `3 min 20 s`, `1 h 5 min`. */
export function durationText(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3_600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3_600)} h ${Math.floor((whole % 3_600) / 60)} min`;
}
