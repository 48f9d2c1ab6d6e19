import type { Scope } from '../protocol/scope.ts';

/** What happened in one run. */
export interface RunFacts {
  readonly scope: Scope;
  readonly length: number;
  readonly count: number;
  /** Tokens of the texts themselves. */
  readonly realTokens: number;
  readonly elapsedMs: number;
  readonly rssMb: number;
}

/** Who keeps the figures. */
export interface RunObserver {
  ran(run: RunFacts): void;
  backedOff(scope: Scope): void;
  /** Nothing is left to run. */
  idle(): void;
}
