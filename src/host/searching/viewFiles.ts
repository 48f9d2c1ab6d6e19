import type { ScorePart } from '../../protocol/hit.ts';
import type { FolderHit } from '../../protocol/server.ts';
import type { ViewFile, ViewHit, ViewReason } from '../../protocol/view.ts';
import { queryStems } from './queryWords.ts';
import { markPassage, passageOf } from './passageLines.ts';

export interface GroupingContext {
  readonly query: string;
  /** Names of the workspace folders by path; shown when there are several. */
  readonly folderNames: ReadonlyMap<string, string>;
  /** Words for a part of the ranking. */
  readonly describePart: (part: string) => string;
}

/** Groups hits by file, in the order of each file's best hit; the hits of a file stay in the order of their score. */
export function groupByFile(hits: readonly FolderHit[], context: GroupingContext): readonly ViewFile[] {
  const stems = queryStems(context.query);
  const best = Math.max(...hits.map((hit) => weightOf(hit)));
  const files = new Map<string, ViewFile & { hits: ViewHit[] }>();
  for (const hit of hits) {
    const key = fileKey(hit.folder, hit.path);
    let file = files.get(key);
    if (file === undefined) {
      file = { key, ...nameParts(hit, context.folderNames), language: hit.language, hits: [], stale: false };
      files.set(key, file);
    }
    file.hits.push(toViewHit(hit, stems, best, context));
  }
  return [...files.values()];
}

export function fileKey(folder: string, path: string): string {
  return `${folder}\0${path}`;
}

export function hitId(hit: FolderHit): string {
  return `${fileKey(hit.folder, hit.path)}\0${hit.startLine}-${hit.endLine}`;
}

function toViewHit(hit: FolderHit, stems: readonly string[], best: number, context: GroupingContext): ViewHit {
  const { lines, bestLine } = markPassage(passageOf(hit), stems);
  return {
    id: hitId(hit),
    startLine: hit.startLine,
    endLine: hit.endLine,
    bestLine,
    symbol: hit.symbol,
    scope: hit.scope,
    language: hit.language,
    strength: strengthOf(weightOf(hit), best),
    lines,
    reasons: reasonsOf(hit.explanation ?? [], context.describePart),
  };
}

/** The sum of parts behind a score, which is 1 / (1 + e^−sum): scores themselves all come close to 1, so that their ratios say nothing. */
function weightOf({ score }: FolderHit): number {
  // Far above 30, where a score is 1 within what a number can hold, the sum is lost.
  return Math.log(score / Math.max(1 - score, Number.EPSILON));
}

/** What speaks for a hit as a share of what speaks for the best one, 0 to 1; where nothing speaks for any, only the best has a share. */
function strengthOf(weight: number, best: number): number {
  if (best <= 0) return weight === best ? 1 : 0;
  return Math.max(0, weight) / best;
}

function nameParts(hit: FolderHit, folderNames: ReadonlyMap<string, string>): { name: string; directory: string } {
  const slash = hit.path.lastIndexOf('/');
  const inside = slash === -1 ? '' : hit.path.slice(0, slash);
  const folder = folderNames.size > 1 ? (folderNames.get(hit.folder) ?? '') : '';
  return {
    name: hit.path.slice(slash + 1),
    directory: [folder, inside].filter((part) => part !== '').join(' • '),
  };
}

/** Parts of the score, the weightiest first, as shares of the largest. */
function reasonsOf(parts: readonly ScorePart[], describePart: (part: string) => string): readonly ViewReason[] {
  const largest = Math.max(...parts.map((part) => Math.abs(part.value)), Number.MIN_VALUE);
  return parts
    .filter((part) => part.value !== 0)
    .toSorted((a, b) => Math.abs(b.value) - Math.abs(a.value))
    .map((part) => ({ label: describePart(part.part), detail: part.detail, share: part.value / largest }));
}
