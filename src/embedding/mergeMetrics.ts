import { type EmbedderMetrics, LANES, type Lane, type LaneMetrics, type ScopeMetrics } from '../protocol/embedder.ts';
import { SCOPES, type Scope } from '../protocol/scope.ts';

/** Figures of processes that work side by side as those of one: amounts and rates add up, times are the worst. */
export function mergeMetrics(all: readonly [EmbedderMetrics, ...EmbedderMetrics[]]): EmbedderMetrics {
  const [first, ...rest] = all;
  return rest.reduce(mergeTwo, first);
}

function mergeTwo(a: EmbedderMetrics, b: EmbedderMetrics): EmbedderMetrics {
  const scopes = SCOPES.map((scope): [Scope, ScopeMetrics] => [scope, mergeScopes(a.scopes[scope], b.scopes[scope])]);
  const lanes = LANES.map((lane): [Lane, LaneMetrics] => [lane, mergeLanes(a.lanes[lane], b.lanes[lane])]);
  return {
    scopes: Object.fromEntries(scopes) as Record<Scope, ScopeMetrics>,
    lanes: Object.fromEntries(lanes) as Record<Lane, LaneMetrics>,
    threads: a.threads + b.threads,
    sessions: a.sessions + b.sessions,
    rssMb: a.rssMb + b.rssMb,
    peakRssMb: a.peakRssMb + b.peakRssMb,
    gpuUtilization: largest(a.gpuUtilization, b.gpuUtilization),
  };
}

function mergeScopes(a: ScopeMetrics, b: ScopeMetrics): ScopeMetrics {
  const realTokens = a.realTokens + b.realTokens;
  const paddedTokens = a.paddedTokens + b.paddedTokens;
  return {
    device: a.device,
    runs: a.runs + b.runs,
    texts: a.texts + b.texts,
    realTokens,
    paddedTokens,
    paddingRatio: realTokens > 0 ? (paddedTokens - realTokens) / realTokens : 0,
    tokensPerSecond: a.tokensPerSecond + b.tokensPerSecond,
    textsPerSecond: a.textsPerSecond + b.textsPerSecond,
    recentTokensPerSecond: a.recentTokensPerSecond + b.recentTokensPerSecond,
    recentTextsPerSecond: a.recentTextsPerSecond + b.recentTextsPerSecond,
    bestTextsPerSecond: a.bestTextsPerSecond + b.bestTextsPerSecond,
    runP50Ms: Math.max(a.runP50Ms, b.runP50Ms),
    runP90Ms: Math.max(a.runP90Ms, b.runP90Ms),
    runP99Ms: Math.max(a.runP99Ms, b.runP99Ms),
    tokenizeMs: a.tokenizeMs + b.tokenizeMs,
    rssByRunTokens: mergeRss(a.rssByRunTokens, b.rssByRunTokens),
    backoffs: a.backoffs + b.backoffs,
    // They learn the same thing on the same kind of work; whichever has seen more of it speaks.
    tuner: a.tuner.runs >= b.tuner.runs ? a.tuner : b.tuner,
  };
}

function mergeLanes(a: LaneMetrics, b: LaneMetrics): LaneMetrics {
  return {
    requests: a.requests + b.requests,
    waitP50Ms: Math.max(a.waitP50Ms, b.waitP50Ms),
    waitP90Ms: Math.max(a.waitP90Ms, b.waitP90Ms),
    waitP99Ms: Math.max(a.waitP99Ms, b.waitP99Ms),
  };
}

function mergeRss(
  a: ScopeMetrics['rssByRunTokens'],
  b: ScopeMetrics['rssByRunTokens'],
): ScopeMetrics['rssByRunTokens'] {
  const bySize = new Map<number, number>();
  for (const { upToTokens, rssMb } of [...a, ...b]) {
    bySize.set(upToTokens, Math.max(bySize.get(upToTokens) ?? 0, rssMb));
  }
  return [...bySize].map(([upToTokens, rssMb]) => ({ upToTokens, rssMb })).sort((x, y) => x.upToTokens - y.upToTokens);
}

function largest(a: number | null, b: number | null): number | null {
  if (a === null) return b;
  return b === null ? a : Math.max(a, b);
}
