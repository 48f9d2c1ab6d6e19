import { parseTunerState } from './tunerState.ts';

/**
 * A tuner's state as it is to be saved beside that of another process for the same machine, model and device: with the smaller of
 * their memory ceilings, since processes side by side share the memory, and only one of them may have met its end. All else is its
 * own. The other's is what it saved last, also when that was raised after quiet starts; a state that is damaged or of another version has no say.
 */
export function withSmallerCeiling(own: unknown, other: unknown): unknown {
  const state = parseTunerState(own);
  const memoryCeiling = parseTunerState(other)?.memoryCeiling;
  if (state === undefined || memoryCeiling === undefined) return own;
  const [tokens, ownTokens] = [memoryCeiling.tokens ?? Infinity, state.memoryCeiling.tokens ?? Infinity];
  // The same one may have been quiet for more starts by now.
  const isQuieter =
    Number.isFinite(tokens) && tokens === ownTokens && memoryCeiling.quietStarts > state.memoryCeiling.quietStarts;
  if (tokens >= ownTokens && !isQuieter) return own;
  // A try that failed in either is not made as soon in both.
  const [raising, ownRaising] = [memoryCeiling.raising, state.memoryCeiling.raising];
  const needed = Math.max(raising?.needed ?? 0, ownRaising?.needed ?? 0);
  return {
    ...state,
    memoryCeiling: raising === undefined ? memoryCeiling : { ...memoryCeiling, raising: { ...raising, needed } },
  };
}
