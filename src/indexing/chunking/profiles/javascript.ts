import { found, named, nameIn, type FoundName, type LanguageProfile } from '../profile.ts';
import { nodeText, type SyntaxNode } from '../syntax.ts';

const FUNCTION_VALUES = new Set(['arrow_function', 'function_expression', 'function', 'generator_function']);

function kindOfValue(value: SyntaxNode | null): 'function' | 'class' | undefined {
  const type = value?.type ?? '';
  if (FUNCTION_VALUES.has(type)) return 'function';
  return type === 'class' ? 'class' : undefined;
}

/** `const parse = (text) => …` defines a function, `const limit = 3` a variable, a destructuring pattern nothing. */
function declarator(node: SyntaxNode, source: string): FoundName | undefined {
  const name = node.childForFieldName('name');
  if (name?.type !== 'identifier') return undefined;
  const kind = kindOfValue(node.childForFieldName('value'));
  return { name: nodeText(name, source), at: name, ...(kind === undefined ? {} : { kind }) };
}

/** A field or a property of an object literal is a definition when it holds a function. */
function functionField(nameField: string) {
  return (node: SyntaxNode, source: string): FoundName | undefined => {
    if (kindOfValue(node.childForFieldName('value')) !== 'function') return undefined;
    const name = nameIn(node.childForFieldName(nameField) ?? node.childForFieldName('name'), source);
    return name === undefined ? undefined : { ...name, name: unquote(name.name) };
  };
}

/** `exports.parse = …`, `Router.prototype.match = function …`. */
function memberAssignment(node: SyntaxNode, source: string): FoundName | undefined {
  const left = node.childForFieldName('left');
  if (left?.type !== 'member_expression') return undefined;
  const property = left.childForFieldName('property');
  const target = left.childForFieldName('object');
  if (property === null || target === null) return undefined;
  const kind = kindOfValue(node.childForFieldName('right'));
  const owner = nodeText(target, source).replace(/\.prototype$/, '');
  const isExport = owner === 'exports' || owner === 'module.exports';
  if (kind === undefined && !isExport) return undefined;
  const name = nodeText(property, source);
  if (name === 'exports') return undefined;
  const owners = isExport || owner === 'this' || !/^[\w.$]+$/.test(owner) ? [] : [owner];
  return { name, at: property, owners, ...(kind === undefined ? {} : { kind }) };
}

function methodName(node: SyntaxNode, source: string): FoundName | undefined {
  const name = nameIn(node.childForFieldName('name'), source);
  if (name === undefined) return undefined;
  if (name.name === 'constructor') return { ...name, kind: 'constructor' };
  return { ...name, name: unquote(name.name) };
}

function unquote(name: string): string {
  return /^(['"`]).*\1$/.test(name) ? name.slice(1, -1) : name;
}

export const javascript: LanguageProfile = {
  function_declaration: named('function'),
  generator_function_declaration: named('function'),
  class_declaration: named('class'),
  class: named('class'),
  method_definition: found('method', methodName),
  field_definition: found('method', functionField('property')),
  pair: found('method', functionField('key')),
  variable_declarator: found('variable', declarator),
  assignment_expression: found('variable', memberAssignment),
};

export const typescript: LanguageProfile = {
  ...javascript,
  function_signature: named('function'),
  abstract_class_declaration: named('class'),
  interface_declaration: named('interface'),
  type_alias_declaration: named('type'),
  enum_declaration: named('enum'),
  internal_module: found('namespace', moduleName),
  module: found('namespace', moduleName),
  method_signature: found('method', methodName),
  abstract_method_signature: found('method', methodName),
  public_field_definition: found('method', functionField('name')),
};

function moduleName(node: SyntaxNode, source: string): FoundName | undefined {
  const name = nameIn(node.childForFieldName('name'), source);
  return name === undefined ? undefined : { ...name, name: unquote(name.name) };
}
