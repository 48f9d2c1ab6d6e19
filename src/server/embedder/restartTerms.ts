import { paddedTokens } from '../../embedding/runShape.ts';
import type { EmbedderSettings, LostRun, ModelInfo, OpenParams } from '../../protocol/embedder.ts';
import type { Scope } from '../../protocol/scope.ts';
import { requireSameModels } from './sameModels.ts';

type Models = Readonly<Record<Scope, ModelInfo>>;
/** What a process has of the machine. */
type Share = Pick<OpenParams, 'processes' | 'threads'>;

/** Texts over which processes ended one after another, with none answered between, after which the device or the model is blamed rather than they. */
const ENDS_IN_A_ROW = 3;

/** What the next embedder process is told, by what became of those before it. */
export class RestartTerms {
  readonly #settings: EmbedderSettings;
  readonly #share: Share;
  #models: Models | undefined;
  /** The device whose kind of graph the first process loaded for each scope, when a device was named. */
  #graphFor: EmbedderSettings['graphFor'];
  /** Runs that a process died in, but for those no larger than one that has succeeded since: they died by chance. */
  #lostRuns: readonly LostRun[] = [];
  /** The largest that have succeeded. */
  #provenRuns: OpenParams['provenRuns'] = { code: null, docs: null };
  #processorOnly: string | null = null;
  /** By device: what one does says nothing about another. */
  readonly #endsInARow = new Map<ModelInfo['device'], number>();

  constructor(settings: EmbedderSettings, share: Share) {
    this.#settings = settings;
    this.#share = share;
  }

  /** For the request that opens the models. */
  get openParams(): OpenParams {
    // Another graph has other vectors: what is embedded from now on would not fit what was embedded before.
    const graphFor = this.#graphFor ?? this.#settings.graphFor;
    return {
      settings: graphFor === undefined ? this.#settings : { ...this.#settings, graphFor },
      ...this.#share,
      lostRuns: this.#lostRuns,
      provenRuns: this.#provenRuns,
      processorOnly: this.#processorOnly,
    };
  }

  /**
   * A process has opened its models.
   *
   * @throws TesseraError `model-invalid` when they are not those of the processes before.
   */
  opened(models: Models): void {
    const before = this.#models;
    if (before !== undefined) requireSameModels(before, models);
    if (before === undefined && this.#settings.device !== 'auto') {
      this.#graphFor = this.#settings.graphFor ?? { code: models.code.device, docs: models.docs.device };
    }
    this.#models = models;
    this.#lostRuns = this.#lostRuns.map((run) => ({ ...run, isRetold: true }));
  }

  /** Whether a scope's model is on another device than the processor. */
  isOnDevice(scope: Scope): boolean {
    return this.#deviceOf(scope) !== 'cpu';
  }

  /** Texts of a scope were answered; `run` is the last that began. */
  succeeded(scope: Scope, run: LostRun | undefined): void {
    this.#endsInARow.delete(this.#deviceOf(scope));
    if (run === undefined) return;
    const proven = this.#provenRuns[run.scope];
    const device = this.#deviceOf(run.scope);
    const tokens = paddedTokens(run);
    if (proven?.device !== device || tokens > proven.tokens)
      this.#provenRuns = { ...this.#provenRuns, [run.scope]: { device, tokens } };
    if (this.#lostRuns.length === 0) return;
    const isLarger = (lost: LostRun): boolean => paddedTokens(lost) > paddedTokens(run);
    this.#lostRuns = this.#lostRuns.filter((lost) => lost.scope !== run.scope || isLarger(lost));
  }

  /** A process died in a run, by want of memory or by what may be that. */
  ranOutOfMemory({ scope, length, count, triedAfter }: LostRun): void {
    const tried = triedAfter === undefined ? {} : { triedAfter };
    this.#lostRuns = [...this.#lostRuns, { scope, length, count, ...tried }];
  }

  /** A process ended while it loaded its models; `how` is a word or two. Whether the device is left for it. */
  diedLoading(how: string): boolean {
    const { device } = this.#settings;
    if (device === 'cpu') return false;
    const isLeft = this.#processorOnly === null;
    if (isLeft) this.#lostRuns = this.#lostRuns.filter((run) => this.#deviceOf(run.scope) === 'cpu');
    this.#processorOnly = `The embedder ended by ${how} while it opened the device ${device}.`;
    return isLeft;
  }

  /** A scope's model fails at any text. False when it is on the processor already, so that no other device is left to be tried. */
  leaveDevice(scope: Scope, reason: string): boolean {
    const device = this.#deviceOf(scope);
    if (device === 'cpu') return false;
    this.#leave(`The device ${device} fails at any text (${reason}).`);
    return true;
  }

  /**
   * Processes ended over a text, again and again. `text`: it is to be given up, and its deaths are not held against the
   * next process; `model`: it is given up too, but as one of several in a row, whose deaths count, so that they end; `unknown`: it may be the device, which others
   * will tell; `device`: it was, and is left.
   */
  blame(scope: Scope, how: string): 'text' | 'model' | 'unknown' | 'device' {
    const device = this.#deviceOf(scope);
    const ends = (this.#endsInARow.get(device) ?? 0) + 1;
    this.#endsInARow.set(device, ends);
    const isSeries = ends >= ENDS_IN_A_ROW;
    if (device === 'cpu') return isSeries ? 'model' : 'text';
    if (!isSeries) return 'unknown';
    this.#leave(`The embedder ended by ${how} at ${ends} texts in a row on the device ${device}.`);
    return 'device';
  }

  #leave(reason: string): void {
    this.#processorOnly = reason;
    // What ran out of memory over there says nothing about the processor.
    this.#lostRuns = [];
    this.#endsInARow.clear();
  }

  #deviceOf(scope: Scope): ModelInfo['device'] {
    return this.#models?.[scope].device ?? 'cpu';
  }
}
