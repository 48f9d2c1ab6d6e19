import { found, named, nameIn, type FoundName, type LanguageProfile } from '../profile.ts';
import { childOfType, nodeText, type SyntaxNode } from '../syntax.ts';
import { splitOwners } from './scripting.ts';

const NAME_TYPES = new Set([
  'identifier',
  'field_identifier',
  'type_identifier',
  'qualified_identifier',
  'destructor_name',
  'operator_name',
  'operator_cast',
  'template_function',
  'template_method',
]);

/** The name at the bottom of a declarator (`*name[3]`, `(*name)(int)`), and whether a parameter list is on the way. */
function declaratorName(node: SyntaxNode | null): { at: SyntaxNode; isFunction: boolean } | undefined {
  let isFunction = false;
  for (let at = node, depth = 0; at !== null && depth < 12; depth++) {
    const type = at.type;
    if (NAME_TYPES.has(type)) return { at, isFunction };
    if (type === 'function_declarator') isFunction = true;
    at = at.childForFieldName('declarator') ?? childOfType(at, ...NAME_TYPES, ...NESTED_DECLARATORS) ?? null;
  }
  return undefined;
}
const NESTED_DECLARATORS = [
  'function_declarator',
  'pointer_declarator',
  'reference_declarator',
  'array_declarator',
  'parenthesized_declarator',
  'init_declarator',
];

function nameOfDeclarator(at: SyntaxNode, source: string): FoundName {
  if (at.type === 'operator_cast') return { name: 'operator', at };
  const text = nodeText(at, source).replace(/^::/, '');
  const isOperator = /\boperator\b/.test(text);
  const plain = isOperator ? text : withoutTemplateArguments(text);
  return isOperator ? { name: plain, at } : splitOwners(plain, '::', at);
}

/** `Map<K, V>::find` → `Map::find`. */
function withoutTemplateArguments(text: string): string {
  let result = '';
  let depth = 0;
  for (const char of text) {
    if (char === '<') depth++;
    else if (char === '>') depth = Math.max(0, depth - 1);
    else if (depth === 0) result += char;
  }
  return result.trim();
}

function functionDefinition(node: SyntaxNode, source: string): FoundName | undefined {
  const name = declaratorName(node.childForFieldName('declarator'));
  return name === undefined ? undefined : nameOfDeclarator(name.at, source);
}

/** A prototype declares; a variable at file scope with a value defines. */
function declaration(node: SyntaxNode, source: string): FoundName | undefined {
  const declarator = node.childForFieldName('declarator');
  const name = declaratorName(declarator);
  if (name === undefined || declarator === null) return undefined;
  if (name.isFunction) return { ...nameOfDeclarator(name.at, source), kind: 'declaration', declares: false };
  return declarator.type === 'init_declarator' ? nameOfDeclarator(name.at, source) : undefined;
}

function memberDeclaration(node: SyntaxNode, source: string): FoundName | undefined {
  const name = declaratorName(node.childForFieldName('declarator'));
  if (name?.isFunction !== true) return undefined;
  return { ...nameOfDeclarator(name.at, source), declares: false };
}

/** A type is defined where its body is. */
function typeWithBody(node: SyntaxNode, source: string): FoundName | undefined {
  const name = node.childForFieldName('name');
  if (name === null || node.childForFieldName('body') === null) return undefined;
  return nameOfDeclarator(name, source);
}

function typedefName(node: SyntaxNode, source: string): FoundName | undefined {
  const name = declaratorName(node.childForFieldName('declarator'));
  return name === undefined ? undefined : { name: nodeText(name.at, source), at: name.at };
}

/** Include guards (`#define NAME_H` and nothing more) are no definitions. */
function macroName(node: SyntaxNode, source: string): FoundName | undefined {
  return node.childForFieldName('value') === null ? undefined : nameIn(node.childForFieldName('name'), source);
}

export const c: LanguageProfile = {
  function_definition: found('function', functionDefinition),
  declaration: found('variable', declaration),
  struct_specifier: found('struct', typeWithBody),
  union_specifier: found('union', typeWithBody),
  enum_specifier: found('enum', typeWithBody),
  type_definition: found('type', typedefName),
  preproc_def: found('constant', macroName),
  preproc_function_def: found('macro', (node, source) => nameIn(node.childForFieldName('name'), source)),
};

export const cpp: LanguageProfile = {
  ...c,
  class_specifier: found('class', typeWithBody),
  namespace_definition: named('namespace'),
  concept_definition: named('type'),
  alias_declaration: named('type'),
  field_declaration: found('method', memberDeclaration),
};

function constantField(node: SyntaxNode, source: string, isConstant: RegExp): FoundName | undefined {
  const head = source.slice(node.startIndex, Math.min(node.endIndex, node.startIndex + 200));
  if (!isConstant.test(head)) return undefined;
  const holder = childOfType(node, 'variable_declaration') ?? node;
  const declarator = childOfType(holder, 'variable_declarator');
  return nameIn(declarator?.childForFieldName('name') ?? (declarator && childOfType(declarator, 'identifier')), source);
}

export const java: LanguageProfile = {
  class_declaration: named('class'),
  interface_declaration: named('interface'),
  enum_declaration: named('enum'),
  record_declaration: named('record'),
  annotation_type_declaration: named('interface'),
  method_declaration: named('method'),
  constructor_declaration: named('constructor'),
  compact_constructor_declaration: named('constructor'),
  field_declaration: found('constant', (node, source) =>
    constantField(node, source, /^[^=;{]*\bstatic\b[^=;{]*\bfinal\b|^[^=;{]*\bfinal\b[^=;{]*\bstatic\b/),
  ),
};

export const csharp: LanguageProfile = {
  namespace_declaration: named('namespace'),
  class_declaration: named('class'),
  struct_declaration: named('struct'),
  interface_declaration: named('interface'),
  enum_declaration: named('enum'),
  record_declaration: named('record'),
  record_struct_declaration: named('record'),
  delegate_declaration: named('type'),
  method_declaration: named('method'),
  constructor_declaration: named('constructor'),
  destructor_declaration: named('method'),
  local_function_statement: named('function'),
  property_declaration: named('property'),
  event_declaration: named('property'),
  field_declaration: found('constant', (node, source) =>
    constantField(node, source, /^[^=;{]*(?:\bconst\b|\bstatic\s+readonly\b)/),
  ),
};
