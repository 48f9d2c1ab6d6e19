import type { ChunkLimits } from '../document.ts';
import type { Structure } from './chunkLines.ts';
import { AFTER_COMMENT, lineHints } from './lineStructure.ts';
import { lineAt, lineText, type LineTable } from './lines.ts';
import type { OutlineEntry } from './outline.ts';
import {
  FUNCTION_KINDS,
  nameIn,
  NAMESPACE_KINDS,
  TYPE_KINDS,
  VALUE_KINDS,
  type FoundName,
  type LanguageProfile,
} from './profile.ts';
import type { SyntaxNode } from './syntax.ts';

/** What cutting through a node costs, when it would fit into a chunk whole. */
const FUNCTION_WEIGHT = 1.2;
const TYPE_WEIGHT = 0.8;
const VALUE_WEIGHT = 0.5;
const NAMESPACE_WEIGHT = 0.2;
const NODE_WEIGHT = 0.55;
const COMMENT_WEIGHT = 1.5;
/** What has to be cut anyway costs this part of it: a break beside it is still better than one inside. */
const OVERSIZE = 0.3;
/** Between two clauses of one function. */
const BETWEEN_CLAUSES = 0.3;
/** Deeper nodes are not looked into: generated expressions nest thousands deep. */
const MAX_DEPTH = 200;
/** Levels looked into below a node on one line (`export const x = 1`). */
const MAX_ONE_LINE_DEPTH = 4;

/** Nodes that only hold the parts of another one. */
const WRAPPER = /(?:^|_)(?:body|block|list|statements|declarations?_list|suite|arguments|clause|template|ERROR)$/;
const COMMENT = /comment|haddock/;
/** What describes the node after it. */
const STICKY = /comment|haddock|attribute|annotation|decorator|pragma/;
const STICKY_LINE = /^\s*@(?:doc|spec|impl|typedoc|deprecated|since|decorate|attr|slot)\b/;
/** Function values without a name: what they hold in variables is their own business. */
const ANONYMOUS_FUNCTION =
  /arrow_function|function_expression|lambda|closure|anonymous_(?:function|method)|func_literal/;
/** Data on one line holds no definitions; a table of a million numbers would be a million nodes. */
const ONE_LINE_DATA =
  /array|^list$|tuple|^dictionary$|^set$|initializer_list|parameter|argument|literal|subscript|binary/;
const LEAF = /comment|string|char_literal|import|include|heredoc/;

/** What a node's type says by its name. */
interface TypeTraits {
  readonly isSticky: boolean;
  readonly isLeaf: boolean;
  readonly isOneLineData: boolean;
  readonly isAnonymousFunction: boolean;
  /** What cutting through such a node costs, if it defines nothing. */
  readonly weight: number;
}

/** Grammars have a few hundred types each, and a tree millions of nodes. */
const knownTraits = new Map<string, TypeTraits>();

function traitsOf(type: string): TypeTraits {
  let traits = knownTraits.get(type);
  if (traits === undefined) {
    traits = {
      isSticky: STICKY.test(type),
      isLeaf: LEAF.test(type),
      isOneLineData: ONE_LINE_DATA.test(type),
      isAnonymousFunction: ANONYMOUS_FUNCTION.test(type),
      weight: COMMENT.test(type) ? COMMENT_WEIGHT : WRAPPER.test(type) ? 0 : NODE_WEIGHT,
    };
    knownTraits.set(type, traits);
  }
  return traits;
}

interface MutableEntry extends OutlineEntry {
  first: number;
  last: number;
}

interface Place {
  readonly first: number;
  readonly last: number;
  /** First line of what describes the node. */
  readonly head: number;
  /** What cutting through the node already costs. */
  readonly weight: number;
  readonly parent: number;
  readonly inFunction: boolean;
  readonly depth: number;
  readonly oneLineDepth: number;
}

/** Reads break costs and definitions from a syntax tree. */
export function readSyntax(
  root: SyntaxNode,
  lines: LineTable,
  sums: Uint32Array,
  profile: LanguageProfile,
  limits: ChunkLimits,
): Structure {
  return new SyntaxReader(lines, sums, profile, limits).read(root);
}

class SyntaxReader {
  readonly #lines: LineTable;
  readonly #sums: Uint32Array;
  readonly #rules: ReadonlyMap<string, LanguageProfile[string]>;
  readonly #maxTokens: number;
  /** Differences: what is added at a line applies to the breaks after it and all following ones. */
  readonly #steps: Float64Array;
  readonly #extra: Float64Array;
  readonly #entries: MutableEntry[] = [];

  constructor(lines: LineTable, sums: Uint32Array, profile: LanguageProfile, limits: ChunkLimits) {
    this.#lines = lines;
    this.#sums = sums;
    this.#rules = new Map(Object.entries(profile));
    this.#maxTokens = limits.maxTokens;
    this.#steps = new Float64Array(lines.count + 1);
    this.#extra = new Float64Array(lines.count);
  }

  read(root: SyntaxNode): Structure {
    const last = this.#lines.count - 1;
    const start: Omit<Place, 'depth'> = {
      first: 0,
      last,
      head: 0,
      weight: 0,
      parent: -1,
      inFunction: false,
      oneLineDepth: 0,
    };
    this.#visit(root, { ...start, depth: 0 });
    const breakCosts = lineHints(this.#lines);
    let cutThrough = 0;
    for (let line = 0; line <= last; line++) {
      cutThrough += this.#steps[line] ?? 0;
      breakCosts[line] = (breakCosts[line] ?? 0) + cutThrough + (this.#extra[line] ?? 0);
    }
    return { breakCosts, outline: this.#entries };
  }

  #visit(node: SyntaxNode, place: Place): void {
    let stickyFrom = -1;
    let previousLast = -1;
    let previousEntry = -1;
    for (const child of node.children) {
      if (child === null) continue;
      const start = child.startIndex;
      const end = child.endIndex;
      if (end <= start) continue;
      const first = lineAt(this.#lines, start);
      const last = lineAt(this.#lines, end - 1, first);
      const type = child.type;
      const traits = traitsOf(type);
      if (stickyFrom >= 0 && first > previousLast) {
        const isAdjacent = first === previousLast + 1;
        this.#addExtra(first - 1, isAdjacent ? AFTER_COMMENT : BETWEEN_CLAUSES / 2);
        if (!isAdjacent) stickyFrom = -1;
      }
      const own = stickyFrom >= 0 ? stickyFrom : first;
      const head = own === place.first ? place.head : own;
      const name = this.#nameOf(child, type, place);
      let entry = -1;
      if (name !== undefined)
        entry = this.#record(name, { first: head, last, start: first }, place.parent, previousEntry);
      else if (type === 'function_body' && previousEntry >= 0) this.#extend(previousEntry, last);
      this.#descend(child, traits, { first, last, head, entry }, place);

      const isSticky = traits.isSticky || (name === undefined && isStickyLine(this.#lines, first));
      const isTrailing = first === previousLast;
      if (!isSticky) stickyFrom = -1;
      else if (stickyFrom < 0 && !isTrailing) stickyFrom = first;
      if (!isSticky) previousEntry = entry >= 0 ? entry : type === 'function_body' ? previousEntry : -1;
      previousLast = Math.max(previousLast, last);
    }
  }

  /** Charges for cutting through a child and looks into it where something may be found. */
  #descend(
    child: SyntaxNode,
    traits: TypeTraits,
    at: { first: number; last: number; head: number; entry: number },
    place: Place,
  ): void {
    const { first, last, head } = at;
    const entry = this.#entries[at.entry];
    const isSameSpan = first === place.first && last === place.last;
    const outerWeight = isSameSpan ? place.weight : 0;
    let weight = outerWeight;
    if (last > first) {
      const fits = (this.#sums[last + 1] ?? 0) - (this.#sums[first] ?? 0) <= this.#maxTokens;
      const ownWeight = (entry === undefined ? traits.weight : weightOf(entry.kind)) * (fits ? 1 : OVERSIZE);
      weight = Math.max(outerWeight, ownWeight);
      this.#steps[first] = (this.#steps[first] ?? 0) + weight - outerWeight;
      this.#steps[last] = (this.#steps[last] ?? 0) - weight + outerWeight;
    }
    if (place.depth >= MAX_DEPTH || traits.isLeaf) return;
    const oneLineDepth = last > first ? 0 : place.oneLineDepth + 1;
    if (oneLineDepth > 0 && (place.inFunction || oneLineDepth > MAX_ONE_LINE_DEPTH || traits.isOneLineData)) return;
    this.#visit(child, {
      first,
      last,
      head: entry === undefined ? head : first,
      weight,
      parent: entry === undefined ? place.parent : at.entry,
      inFunction:
        place.inFunction || (entry !== undefined ? FUNCTION_KINDS.has(entry.kind) : traits.isAnonymousFunction),
      depth: place.depth + 1,
      oneLineDepth,
    });
  }

  #nameOf(node: SyntaxNode, type: string, place: Place): (FoundName & { kind: string }) | undefined {
    const rule = this.#rules.get(type);
    if (rule === undefined || !node.isNamed) return undefined;
    const source = this.#lines.text;
    const name = rule.find === undefined ? nameIn(node.childForFieldName('name'), source) : rule.find(node, source);
    if (name === undefined || name.name === '') return undefined;
    const outer = this.#entries[place.parent];
    const inType = outer !== undefined && TYPE_KINDS.has(outer.kind);
    let kind = name.kind ?? rule.kind;
    if (VALUE_KINDS.has(kind) && (place.inFunction || (inType && kind === 'variable'))) return undefined;
    if (kind === 'function' && (inType || (name.owners ?? []).length > 0)) kind = 'method';
    return { ...name, kind };
  }

  /** Adds an entry, or lengthens the one before it when this is its next clause or overload. */
  #record(
    name: FoundName & { kind: string },
    at: { first: number; last: number; start: number },
    parent: number,
    previous: number,
  ): number {
    const before = this.#entries[previous];
    if (before?.name === name.name && before.parent === parent) {
      if (at.first > 0) this.#addExtra(at.first - 1, BETWEEN_CLAUSES);
      before.last = Math.max(before.last, at.last);
      return previous;
    }
    this.#entries.push({
      name: name.name,
      kind: name.kind,
      first: at.first,
      last: at.last,
      nameLine: Math.max(at.start, lineAt(this.#lines, name.at.startIndex)),
      parent,
      owners: name.owners ?? [],
      declares: name.declares ?? true,
    });
    return this.#entries.length - 1;
  }

  /** A body that is a sibling of its signature belongs to it. */
  #extend(index: number, last: number): void {
    const entry = this.#entries[index];
    if (entry === undefined || last <= entry.last) return;
    this.#steps[entry.last] = (this.#steps[entry.last] ?? 0) + FUNCTION_WEIGHT;
    this.#steps[last] = (this.#steps[last] ?? 0) - FUNCTION_WEIGHT;
    entry.last = last;
  }

  #addExtra(line: number, cost: number): void {
    this.#extra[line] = (this.#extra[line] ?? 0) + cost;
  }
}

function isStickyLine(lines: LineTable, line: number): boolean {
  const text = lineText(lines, line);
  return text.includes('@') && STICKY_LINE.test(text);
}

/** What cutting through a definition costs. */
function weightOf(kind: string): number {
  if (FUNCTION_KINDS.has(kind)) return FUNCTION_WEIGHT;
  if (TYPE_KINDS.has(kind)) return TYPE_WEIGHT;
  return NAMESPACE_KINDS.has(kind) ? NAMESPACE_WEIGHT : VALUE_WEIGHT;
}
