import { found, named, nameIn, type FoundName, type LanguageProfile } from '../profile.ts';
import { childOfType, nodeText, type SyntaxNode } from '../syntax.ts';

/** `func (r *Router[T]) Match()` is `Match` inside `Router`. */
function goMethod(node: SyntaxNode, source: string): FoundName | undefined {
  const name = nameIn(node.childForFieldName('name'), source);
  const receiver = node.childForFieldName('receiver');
  if (name === undefined || receiver === null) return name;
  const type = /([A-Za-z_]\w*)\s*(?:\[[^\]]*\])?\s*\)$/.exec(nodeText(receiver, source))?.[1];
  return type === undefined ? name : { ...name, owners: [type] };
}

function goType(node: SyntaxNode, source: string): FoundName | undefined {
  const name = nameIn(node.childForFieldName('name'), source);
  if (name === undefined) return undefined;
  const type = node.childForFieldName('type')?.type;
  if (type === 'struct_type') return { ...name, kind: 'struct' };
  return type === 'interface_type' ? { ...name, kind: 'interface' } : name;
}

export const go: LanguageProfile = {
  function_declaration: named('function'),
  method_declaration: found('method', goMethod),
  type_spec: found('type', goType),
  type_alias: named('type'),
  const_spec: named('constant'),
  var_spec: named('variable'),
  method_elem: named('method'),
};

/** `impl<T> Display for Router<T>` adds to `Router`. */
function rustImpl(node: SyntaxNode, source: string): FoundName | undefined {
  const type = node.childForFieldName('type');
  if (type === null) return undefined;
  const inner = type.childForFieldName('type') ?? type;
  return { name: nodeText(inner, source).replace(/^.*::/, ''), at: type, declares: false };
}

export const rust: LanguageProfile = {
  function_item: named('function'),
  function_signature_item: named('function'),
  struct_item: named('struct'),
  enum_item: named('enum'),
  union_item: named('union'),
  trait_item: named('trait'),
  type_item: named('type'),
  const_item: named('constant'),
  static_item: named('constant'),
  mod_item: found('module', (node, source) =>
    node.childForFieldName('body') === null ? undefined : nameIn(node.childForFieldName('name'), source),
  ),
  macro_definition: named('macro'),
  impl_item: found('impl', rustImpl),
};

const SWIFT_KINDS: Readonly<Record<string, string>> = {
  struct: 'struct',
  enum: 'enum',
  class: 'class',
  actor: 'class',
  extension: 'extension',
};

function swiftType(node: SyntaxNode, source: string): FoundName | undefined {
  const name = nameIn(node.childForFieldName('name'), source);
  const keyword = node.childForFieldName('declaration_kind')?.type ?? 'class';
  if (name === undefined) return undefined;
  const kind = SWIFT_KINDS[keyword] ?? 'class';
  return { ...name, kind, declares: kind !== 'extension' };
}

function swiftProperty(node: SyntaxNode, source: string): FoundName | undefined {
  const pattern = node.childForFieldName('name');
  return nameIn(pattern?.childForFieldName('bound_identifier') ?? pattern, source);
}

function keywordName(name: string, field: string) {
  return (node: SyntaxNode): FoundName => ({ name, at: node.childForFieldName(field) ?? node });
}

export const swift: LanguageProfile = {
  class_declaration: found('class', swiftType),
  protocol_declaration: named('protocol'),
  function_declaration: named('function'),
  protocol_function_declaration: named('function'),
  init_declaration: found('constructor', keywordName('init', 'name')),
  deinit_declaration: found('method', keywordName('deinit', 'name')),
  subscript_declaration: found('method', keywordName('subscript', 'name')),
  property_declaration: found('property', swiftProperty),
  protocol_property_declaration: found('property', swiftProperty),
  typealias_declaration: named('type'),
};

/** `const Parser = struct { … }` is a struct, `const limit = 3` a constant. */
function zigVariable(node: SyntaxNode, source: string): FoundName | undefined {
  const name = nameIn(childOfType(node, 'identifier'), source);
  const value = childOfType(node, ...Object.keys(ZIG_TYPES))?.type;
  if (name === undefined || value === undefined) return name;
  return { ...name, kind: ZIG_TYPES[value] ?? 'type' };
}
const ZIG_TYPES: Readonly<Record<string, string>> = {
  struct_declaration: 'struct',
  enum_declaration: 'enum',
  union_declaration: 'union',
  opaque_declaration: 'struct',
  error_set_declaration: 'enum',
};

function zigTest(node: SyntaxNode, source: string): FoundName | undefined {
  const name = nameIn(childOfType(node, 'string', 'identifier'), source);
  return name === undefined ? undefined : { ...name, name: name.name.replace(/^"|"$/g, ''), declares: false };
}

export const zig: LanguageProfile = {
  function_declaration: named('function'),
  variable_declaration: found('constant', zigVariable),
  test_declaration: found('test', zigTest),
};

const SOLIDITY_TYPE = named('struct');
export const solidity: LanguageProfile = {
  contract_declaration: named('contract'),
  interface_declaration: named('interface'),
  library_declaration: named('contract'),
  function_definition: named('function'),
  modifier_definition: named('function'),
  constructor_definition: found('constructor', keywordName('constructor', 'name')),
  event_definition: SOLIDITY_TYPE,
  error_declaration: SOLIDITY_TYPE,
  struct_declaration: SOLIDITY_TYPE,
  enum_declaration: named('enum'),
};
