import type { RankedChunk } from './ranking.ts';

/** Chunks of one file that touch, shown as one hit in the place of the best of them. */
export interface MergedChunks {
  readonly best: RankedChunk;
  readonly chunks: readonly RankedChunk[];
  readonly startLine: number;
  readonly endLine: number;
}

/** More lines than this are no longer an answer but a file. */
const MAX_MERGED_LINES = 120;

/** Joins every chunk to a better one of its file whose lines it continues, above or below; keeps the order otherwise. */
export function mergeTouching(ranked: readonly RankedChunk[]): MergedChunks[] {
  const merged: MergedChunks[] = [];
  for (const chunk of ranked) {
    const { startLine, endLine } = chunk.chunk;
    const at = merged.findIndex(
      (group) =>
        group.best.segment === chunk.segment &&
        group.best.file === chunk.file &&
        (endLine + 1 === group.startLine || startLine === group.endLine + 1) &&
        group.endLine - group.startLine + endLine - startLine + 2 <= MAX_MERGED_LINES,
    );
    const group = merged[at];
    if (group === undefined) {
      merged.push({ best: chunk, chunks: [chunk], startLine, endLine });
      continue;
    }
    merged[at] = {
      best: group.best,
      chunks: [...group.chunks, chunk],
      startLine: Math.min(group.startLine, startLine),
      endLine: Math.max(group.endLine, endLine),
    };
  }
  return merged;
}
