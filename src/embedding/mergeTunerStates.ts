import { parseTunerState } from './tunerState.ts';

/**
 * A tuner's state as it is to be saved beside that of another process for the same machine, model and device: with the smaller of
 * their memory ceilings, since processes side by side share the memory, and only one of them may have met its end. All else is its
 * own. A ceiling from before the other was started has no say, lest one that is raised after quiet starts were undone by a process that runs
 * for long, and neither has a state that is damaged or of another version.
 */
export function withSmallerCeiling(own: unknown, other: unknown): unknown {
  const state = parseTunerState(own);
  const memoryCeiling = parseTunerState(other)?.memoryCeiling;
  if (state === undefined || memoryCeiling === undefined) return own;
  const isFresh = memoryCeiling.quietStarts === 0;
  const isSmaller = (memoryCeiling.tokens ?? Infinity) < (state.memoryCeiling.tokens ?? Infinity);
  return isFresh && isSmaller ? { ...state, memoryCeiling } : own;
}
