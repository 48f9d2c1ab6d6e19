import type { ViewHit } from '../protocol/view.ts';

/** Rows that are drawn together: a file's own, or those of all its hits. */
export interface Block<Drawn> {
  /** About, in pixels. */
  readonly height: number;
  readonly draw: () => Drawn;
}

/** As the style sheets have them. */
export const ROW_PX = 22;
const LINE_PX = 18;
/** What is drawn before anything is shown, in heights of the list: blank lines are left out of a hit, so that it may be lower than thought. */
const HEIGHTS_AT_ONCE = 1.3;

/** What the rows of some hits take. */
export function heightOf(hits: readonly Pick<ViewHit, 'lines'>[], snippetLines: number): number {
  return hits.reduce((sum, { lines }) => sum + ROW_PX + LINE_PX * Math.min(snippetLines, lines.length), 0);
}

/** How many of the first blocks fill a list of this height. */
export function countFilling(height: number, blocks: readonly Pick<Block<unknown>, 'height'>[]): number {
  let filled = 0;
  for (const [count, block] of blocks.entries()) {
    if (filled >= HEIGHTS_AT_ONCE * height) return count;
    filled += block.height;
  }
  return blocks.length;
}
