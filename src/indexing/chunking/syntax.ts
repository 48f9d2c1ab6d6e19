/**
 * The part of a syntax tree the chunker reads; a tree-sitter node is one as it is. Offsets count UTF-16 code units.
 * `type` and `endIndex` may be computed at each access: read them once.
 */
export interface SyntaxNode {
  readonly type: string;
  readonly isNamed: boolean;
  readonly startIndex: number;
  readonly endIndex: number;
  readonly children: readonly (SyntaxNode | null)[];
  childForFieldName(name: string): SyntaxNode | null;
}

/** Longer names are not names but whatever stood in their place. */
const MAX_NAME_LENGTH = 160;

/** A node's text on one line. */
export function nodeText(node: SyntaxNode, source: string): string {
  const text = source.slice(node.startIndex, Math.min(node.endIndex, node.startIndex + MAX_NAME_LENGTH));
  return /\s/.test(text) ? text.trim().replace(/\s+/g, ' ') : text;
}

export function childOfType(node: SyntaxNode, ...types: readonly string[]): SyntaxNode | undefined {
  for (const child of node.children) if (child !== null && types.includes(child.type)) return child;
  return undefined;
}

export function hasChildOfType(node: SyntaxNode, ...types: readonly string[]): boolean {
  return childOfType(node, ...types) !== undefined;
}
