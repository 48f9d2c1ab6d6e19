import type { Clock } from '../../base/clock.ts';
import type { IndexPhase, IndexProgress } from '../../protocol/server.ts';

/** Counts of one run, and what they say about the time left. */
export class RunProgress {
  filesDone = 0;
  filesTotal = 0;
  bytesDone = 0;
  bytesTotal = 0;
  chunksDone = 0;
  embedded = 0;
  reused = 0;
  tokens = 0;
  /** Milliseconds during which at least one text was being embedded. */
  embeddingMs = 0;
  readonly #clock: Clock;
  readonly #onPhase: () => void;
  readonly #startedAtMs: number;
  #phase: IndexPhase = 'scanning';
  #workStartedAtMs: number | undefined;
  #embedding = 0;
  #embeddingSinceMs = 0;

  /** `onPhase` is called at the start of every phase, however short it turns out to be. */
  constructor(clock: Clock, onPhase: () => void = () => undefined) {
    this.#clock = clock;
    this.#onPhase = onPhase;
    this.#startedAtMs = clock.now();
  }

  get seconds(): number {
    return (this.#clock.now() - this.#startedAtMs) / 1_000;
  }

  startWork(files: readonly { readonly size: number }[]): void {
    this.filesTotal += files.length;
    this.bytesTotal += files.reduce((sum, { size }) => sum + size, 0);
    this.#workStartedAtMs ??= this.#clock.now();
    this.#enter('indexing');
  }

  startMaintaining(): void {
    this.#enter('maintaining');
  }

  finishFile(sizeBytes: number): void {
    this.filesDone += 1;
    this.bytesDone += sizeBytes;
  }

  startEmbedding(): void {
    if (this.#embedding++ === 0) this.#embeddingSinceMs = this.#clock.now();
  }

  finishEmbedding(): void {
    if (--this.#embedding === 0) this.embeddingMs += this.#clock.now() - this.#embeddingSinceMs;
  }

  /** Time left by bytes: files differ by orders of magnitude, what has to be embedded in a byte hardly does. */
  snapshot(folder: string): IndexProgress {
    const workSeconds = (this.#clock.now() - (this.#workStartedAtMs ?? this.#clock.now())) / 1_000;
    const isKnown = this.#phase === 'indexing' && this.bytesDone > 0 && workSeconds > 0;
    return {
      folder,
      phase: this.#phase,
      filesDone: this.filesDone,
      filesTotal: this.#phase === 'scanning' ? 0 : this.filesTotal,
      chunksDone: this.chunksDone,
      chunksPerSecond: workSeconds > 0 ? this.chunksDone / workSeconds : 0,
      secondsLeft: isKnown ? Math.max(0, this.bytesTotal - this.bytesDone) * (workSeconds / this.bytesDone) : null,
    };
  }

  #enter(phase: IndexPhase): void {
    this.#phase = phase;
    this.#onPhase();
  }
}
