import { found, named, nameIn, type FoundName, type LanguageProfile } from '../profile.ts';
import { childOfType, nodeText, type SyntaxNode } from '../syntax.ts';

const ELIXIR_KINDS: Readonly<Record<string, string>> = {
  def: 'function',
  defp: 'function',
  defmacro: 'macro',
  defmacrop: 'macro',
  defguard: 'macro',
  defguardp: 'macro',
  defdelegate: 'function',
  defn: 'function',
  defnp: 'function',
  defmodule: 'module',
  defprotocol: 'protocol',
  defimpl: 'impl',
  test: 'test',
};

/** In Elixir everything is a call: `def name(args) when guard do … end`. */
function elixirCall(node: SyntaxNode, source: string): FoundName | undefined {
  const target = node.childForFieldName('target');
  if (target?.type !== 'identifier') return undefined;
  const kind = ELIXIR_KINDS[nodeText(target, source)];
  if (kind === undefined) return undefined;
  let head = childOfType(node, 'arguments')?.children.find((child) => child?.isNamed === true);
  if (head?.type === 'binary_operator') head = elixirHead(head, source);
  if (head?.type === 'call') head = head.childForFieldName('target') ?? head;
  if (head == null) return undefined;
  const declares = kind !== 'impl' && kind !== 'test';
  return { name: nodeText(head, source).replace(/^"|"$/g, ''), at: head, kind, declares };
}

/** Left of `when`; the operator itself in `def left + right`. */
function elixirHead(operator: SyntaxNode, source: string): SyntaxNode | null {
  const left = operator.childForFieldName('left');
  const sign = operator.childForFieldName('operator');
  if (sign !== null && nodeText(sign, source) !== 'when') return sign;
  return left?.type === 'binary_operator' ? left.childForFieldName('operator') : left;
}

export const elixir: LanguageProfile = { call: found('function', elixirCall) };

function haskellName(node: SyntaxNode, source: string): FoundName | undefined {
  const infix = childOfType(node, 'infix');
  const name = nameIn(node.childForFieldName('name') ?? infix?.childForFieldName('operator'), source);
  return name && { ...name, name: name.name.replace(/^\((.*)\)$/, '$1').replace(/^`(.*)`$/, '$1') };
}

const HASKELL_FUNCTION = found('function', haskellName);
/** A signature and the equations under it have one name and are taken as one definition by the reader of the tree. */
export const haskell: LanguageProfile = {
  signature: HASKELL_FUNCTION,
  function: HASKELL_FUNCTION,
  bind: found('constant', haskellName),
  data_type: named('type'),
  newtype: named('type'),
  type_synomym: named('type'),
  type_family: named('type'),
  class: named('class'),
  instance: found('instance', (node, source) => {
    const name = nameIn(node.childForFieldName('name'), source);
    return name && { ...name, declares: false };
  }),
};

function ocamlBinding(node: SyntaxNode, source: string): FoundName | undefined {
  const pattern = node.childForFieldName('pattern');
  if (pattern?.type !== 'value_name' && pattern?.type !== 'parenthesized_operator') return undefined;
  const isFunction =
    childOfType(node, 'parameter') !== undefined || (node.childForFieldName('body')?.type.startsWith('fun') ?? false);
  return { name: nodeText(pattern, source), at: pattern, kind: isFunction ? 'function' : 'constant' };
}

export const ocaml: LanguageProfile = {
  let_binding: found('function', ocamlBinding),
  module_binding: named('module'),
  module_type_definition: named('interface'),
  type_binding: named('type'),
  class_binding: named('class'),
  method_definition: named('method'),
  external: found('function', (node, source) => nameIn(childOfType(node, 'value_name'), source)),
  value_specification: found('function', (node, source) => nameIn(childOfType(node, 'value_name'), source)),
};
