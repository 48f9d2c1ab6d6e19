import type { ChunkLimits } from '../document.ts';

/** A stretch of lines, counted from 0, both ends included. */
export interface LineSpan {
  readonly first: number;
  readonly last: number;
}

/** A break this dear is made only where lines would not fit otherwise. */
export const FORBIDDEN_BREAK = 1000;

/**
 * Cuts lines into chunks so that the sum of two costs is least: what each chunk pays for being away from the target
 * size, and what each break pays for what it cuts through (`breakCosts[i]` for a break after line `i`). No chunk holds
 * more than `maxTokens` unless a single line does. `sums[n]` is the tokens of the first `n` lines. Dynamic programming over the places a break may be, O(lines × lines per chunk).
 */
export function segmentLines(sums: Uint32Array, breakCosts: Float64Array, limits: ChunkLimits): LineSpan[] {
  const units = unitsOf(sums, breakCosts, limits.maxTokens);
  const count = units.length;
  const best = new Float64Array(count + 1).fill(Infinity);
  const previous = new Uint32Array(count + 1);
  best[0] = 0;
  for (let end = 1; end <= count; end++) {
    const lastUnit = units[end - 1];
    if (lastUnit === undefined) break;
    const breakCost = end === count ? 0 : (breakCosts[lastUnit.last] ?? 0);
    let size = 0;
    for (let start = end - 1; start >= 0; start--) {
      size += units[start]?.tokens ?? 0;
      if (size > limits.maxTokens && start < end - 1) break;
      const cost = (best[start] ?? Infinity) + sizeCost(size, limits) + breakCost;
      if (cost < (best[end] ?? Infinity)) {
        best[end] = cost;
        previous[end] = start;
      }
    }
  }
  const spans: LineSpan[] = [];
  for (let end = count; end > 0; end = previous[end] ?? 0) {
    const first = units[previous[end] ?? 0]?.first ?? 0;
    spans.push({ first, last: units[end - 1]?.last ?? first });
  }
  return spans.reverse();
}

/** What a chunk at the maximum pays; an empty one pays 1. Past the target is better than a cut through a statement. */
const FULL_COST = 0.5;

/** Zero at the target, growing with the square of the distance to both sides. */
function sizeCost(size: number, { targetTokens, maxTokens }: ChunkLimits): number {
  if (size <= targetTokens) return ((targetTokens - size) / targetTokens) ** 2;
  return FULL_COST * ((size - targetTokens) / Math.max(1, maxTokens - targetTokens)) ** 2;
}

interface Unit extends LineSpan {
  readonly tokens: number;
}

/** Lines with no forbidden break between them, taken together where they fit. */
function unitsOf(sums: Uint32Array, breakCosts: Float64Array, maxTokens: number): Unit[] {
  const units: Unit[] = [];
  let first = 0;
  let size = 0;
  for (let line = 0; line < sums.length - 1; line++) {
    size += tokensOfLine(sums, line);
    const isLast = line === sums.length - 2;
    if (!isLast && (breakCosts[line] ?? 0) >= FORBIDDEN_BREAK) continue;
    if (size <= maxTokens) units.push({ first, last: line, tokens: size });
    else for (const part of fittingParts(sums, first, line, maxTokens)) units.push(part);
    first = line + 1;
    size = 0;
  }
  return units;
}

function fittingParts(sums: Uint32Array, first: number, last: number, maxTokens: number): Unit[] {
  const parts: Unit[] = [];
  let start = first;
  let size = 0;
  for (let line = first; line <= last; line++) {
    const add = tokensOfLine(sums, line);
    if (size + add > maxTokens && line > start) {
      parts.push({ first: start, last: line - 1, tokens: size });
      start = line;
      size = 0;
    }
    size += add;
  }
  parts.push({ first: start, last, tokens: size });
  return parts;
}

function tokensOfLine(sums: Uint32Array, line: number): number {
  return (sums[line + 1] ?? 0) - (sums[line] ?? 0);
}
