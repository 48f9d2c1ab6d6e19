import { nodeText, type SyntaxNode } from './syntax.ts';

/** The name a node of the tree gives to something. */
export interface FoundName {
  readonly name: string;
  /** The node the name is written in. */
  readonly at: SyntaxNode;
  /** Replaces the rule's kind. */
  readonly kind?: string;
  /** Scopes named along with it (`Router` in `func (r *Router) Match`), outermost first. */
  readonly owners?: readonly string[];
  /** False for a scope that adds to something defined elsewhere, and for a mere declaration. */
  readonly declares?: boolean;
}

export type NameFinder = (node: SyntaxNode, source: string) => FoundName | undefined;

/** What a type of node defines. */
export interface DefinitionRule {
  readonly kind: string;
  /** Finds the name; without it the field `name` holds it. */
  readonly find?: NameFinder;
}

/** How one grammar writes definitions: type of node → what it defines. */
export type LanguageProfile = Readonly<Record<string, DefinitionRule>>;

export const FUNCTION_KINDS: ReadonlySet<string> = new Set(['function', 'method', 'constructor', 'macro', 'test']);
export const TYPE_KINDS: ReadonlySet<string> = new Set([
  'class',
  'struct',
  'interface',
  'trait',
  'protocol',
  'enum',
  'union',
  'record',
  'object',
  'impl',
  'extension',
  'contract',
  'instance',
]);
export const NAMESPACE_KINDS: ReadonlySet<string> = new Set(['namespace', 'module', 'package']);
/** Named only outside functions: inside they are details of the function. */
export const VALUE_KINDS: ReadonlySet<string> = new Set(['variable', 'constant', 'property']);

/** A rule whose name is in a field. */
export function named(kind: string, field = 'name'): DefinitionRule {
  return { kind, find: (node, source) => nameIn(node.childForFieldName(field), source) };
}

/** A rule whose name is found by a function. */
export function found(kind: string, find: NameFinder): DefinitionRule {
  return { kind, find };
}

export function nameIn(node: SyntaxNode | null | undefined, source: string): FoundName | undefined {
  return node == null ? undefined : { name: nodeText(node, source), at: node };
}
