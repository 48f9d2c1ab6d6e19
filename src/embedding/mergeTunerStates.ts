import { mergeMemoryCeilings } from './memoryCeiling.ts';
import { parseTunerState } from './tunerState.ts';

/**
 * A tuner's state as it is to be saved beside that of another process for the same machine, model and device: with what both know
 * of memory. All else is its own. The other's is what it saved last; a state that is damaged or of another version has no say.
 */
export function withSharedCeiling(own: unknown, other: unknown): unknown {
  const state = parseTunerState(own);
  const memoryCeiling = parseTunerState(other)?.memoryCeiling;
  if (state === undefined || memoryCeiling === undefined) return own;
  return { ...state, memoryCeiling: mergeMemoryCeilings(state.memoryCeiling, memoryCeiling) };
}
