import type { ExecutionProvider, ScopeMetrics, TunerReport } from '../protocol/embedder.ts';
import { QuantileWindow } from './quantileWindow.ts';
import { paddedTokens } from './runShape.ts';
import { ThroughputMeter } from './throughputMeter.ts';

/** What happened in one run. */
export interface RunFigures {
  /** Texts in it, and the length they were padded to. */
  readonly count: number;
  readonly length: number;
  /** Tokens of the texts themselves. */
  readonly realTokens: number;
  readonly elapsedMs: number;
  /** Resident memory afterwards, in MiB. */
  readonly rssMb: number;
}

/** Keeps the figures of one scope. */
export class ScopeMeter {
  readonly #runMs = new QuantileWindow();
  readonly #recent = new ThroughputMeter();
  readonly #recentTexts = new ThroughputMeter();
  /** Largest resident memory by size of run, in powers of two. */
  readonly #rssByOctave = new Map<number, number>();
  #runs = 0;
  #texts = 0;
  #realTokens = 0;
  #paddedTokens = 0;
  #engineMs = 0;
  #tokenizeMs = 0;
  #backoffs = 0;

  ran({ count, length, realTokens, elapsedMs, rssMb }: RunFigures): void {
    this.#runs++;
    this.#texts += count;
    this.#realTokens += realTokens;
    const tokens = paddedTokens({ length, count });
    this.#paddedTokens += tokens;
    this.#engineMs += elapsedMs;
    this.#runMs.add(elapsedMs);
    this.#recent.add(realTokens, elapsedMs);
    this.#recentTexts.add(count, elapsedMs);
    const octave = 2 ** Math.ceil(Math.log2(Math.max(1, tokens)));
    this.#rssByOctave.set(octave, Math.max(this.#rssByOctave.get(octave) ?? 0, rssMb));
  }

  tokenized(elapsedMs: number): void {
    this.#tokenizeMs += elapsedMs;
  }

  backedOff(): void {
    this.#backoffs++;
  }

  metrics(device: ExecutionProvider, tuner: TunerReport): ScopeMetrics {
    const seconds = this.#engineMs / 1000;
    return {
      device,
      runs: this.#runs,
      texts: this.#texts,
      realTokens: this.#realTokens,
      paddedTokens: this.#paddedTokens,
      paddingRatio: this.#realTokens > 0 ? (this.#paddedTokens - this.#realTokens) / this.#realTokens : 0,
      tokensPerSecond: seconds > 0 ? this.#realTokens / seconds : 0,
      textsPerSecond: seconds > 0 ? this.#texts / seconds : 0,
      recentTokensPerSecond: this.#recent.now,
      recentTextsPerSecond: this.#recentTexts.now,
      bestTextsPerSecond: this.#recentTexts.best,
      runP50Ms: this.#runMs.quantile(0.5),
      runP90Ms: this.#runMs.quantile(0.9),
      runP99Ms: this.#runMs.quantile(0.99),
      tokenizeMs: this.#tokenizeMs,
      rssByRunTokens: [...this.#rssByOctave]
        .map(([upToTokens, rssMb]) => ({ upToTokens, rssMb }))
        .sort((a, b) => a.upToTokens - b.upToTokens),
      backoffs: this.#backoffs,
      tuner,
    };
  }
}
