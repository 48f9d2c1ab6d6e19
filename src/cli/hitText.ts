import { counted } from '../base/wording.ts';
import type { Hit } from '../protocol/hit.ts';
import type { FolderHit } from '../protocol/server.ts';
import { printable, printableName } from './printable.ts';

const SNIPPET_LINES = 6;

/** A hit as `--json` prints it: without the folder, which the person named. */
export function plainHit({ folder: _, ...hit }: FolderHit): Hit {
  return hit;
}

/** `path:line`, the symbol, the first lines, and the explanation where one was asked for. */
export function hitText({ path, startLine, endLine, score, symbol, snippet, explanation = [] }: FolderHit): string {
  const lines = printable(snippet).split('\n');
  const shown = lines.slice(0, SNIPPET_LINES).map((line) => `    ${line}`);
  if (lines.length > SNIPPET_LINES) shown.push(`    … ${counted(lines.length - SNIPPET_LINES, 'more line')}`);
  const parts = explanation.map(({ part, value, detail }) => `  ${value.toFixed(4)} ${part}: ${printableName(detail)}`);
  const name = symbol === '' ? '' : `  ${printableName(symbol)}`;
  return [`${printableName(path)}:${startLine}-${endLine}  ${score.toFixed(3)}${name}`, ...parts, ...shown].join('\n');
}
