import type { Clock } from '../base/clock.ts';
import type { DisposableLike } from '../base/disposable.ts';
import type { ScopeMeter } from '../embedding/scopeMeter.ts';
import type { Scope } from '../protocol/scope.ts';
import type { GpuMeter } from './gpuMeter.ts';
import type { RunFacts, RunObserver } from './runObserver.ts';

/** What the tuners learned is saved after so many runs, and when there is nothing left to do, but not more often than this. */
const RUNS_BETWEEN_SAVES = 256;
const SAVES_APART_MS = 1_000;

/** Hands what the loop sees to the meters, and has what was learned saved now and then. */
export class FiguresKeeper implements RunObserver {
  readonly #meters: Readonly<Record<Scope, ScopeMeter>>;
  readonly #gpu: Pick<GpuMeter, 'sample'>;
  readonly #clock: Pick<Clock, 'now' | 'after'>;
  readonly #save: () => void;
  #unsavedRuns = 0;
  #savedMs = -Infinity;
  #laterSave: DisposableLike | undefined;

  constructor(
    meters: Readonly<Record<Scope, ScopeMeter>>,
    gpu: Pick<GpuMeter, 'sample'>,
    clock: Pick<Clock, 'now' | 'after'>,
    save: () => void,
  ) {
    this.#meters = meters;
    this.#gpu = gpu;
    this.#clock = clock;
    this.#save = save;
  }

  ran(run: RunFacts): void {
    this.#meters[run.scope].ran(run);
    this.#gpu.sample();
    this.#unsavedRuns++;
    if (this.#unsavedRuns >= RUNS_BETWEEN_SAVES) this.#saveSoon();
  }

  backedOff(scope: Scope): void {
    this.#meters[scope].backedOff();
    this.#saveNow();
  }

  idle(): void {
    if (this.#unsavedRuns > 0) this.#saveSoon();
  }

  /** Where texts take microseconds there are many hundred runs a second, and between any two of them nothing may be left to do. */
  #saveSoon(): void {
    const waitMs = this.#savedMs + SAVES_APART_MS - this.#clock.now();
    if (waitMs <= 0) this.#saveNow();
    else this.#laterSave ??= this.#clock.after(waitMs, () => this.#saveNow());
  }

  #saveNow(): void {
    this.#laterSave?.dispose();
    this.#laterSave = undefined;
    this.#unsavedRuns = 0;
    this.#savedMs = this.#clock.now();
    this.#save();
  }
}
