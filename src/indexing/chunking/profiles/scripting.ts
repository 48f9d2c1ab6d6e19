import { found, named, nameIn, type FoundName, type LanguageProfile } from '../profile.ts';
import { childOfType, nodeText, type SyntaxNode } from '../syntax.ts';

function pythonAssignment(node: SyntaxNode, source: string): FoundName | undefined {
  const left = node.childForFieldName('left');
  return left?.type === 'identifier' ? nameIn(left, source) : undefined;
}

export const python: LanguageProfile = {
  function_definition: named('function'),
  class_definition: named('class'),
  assignment: found('variable', pythonAssignment),
  type_alias_statement: found('type', (node, source) => nameIn(node.childForFieldName('left'), source)),
};

function rubyConstant(node: SyntaxNode, source: string): FoundName | undefined {
  const left = node.childForFieldName('left');
  return left?.type === 'constant' ? nameIn(left, source) : undefined;
}

/** `define_method(:name) { … }`. */
function rubyDefineMethod(node: SyntaxNode, source: string): FoundName | undefined {
  const method = node.childForFieldName('method');
  if (method === null || !/^define_(?:singleton_)?method$/.test(nodeText(method, source))) return undefined;
  const list = node.childForFieldName('arguments');
  const symbol = list === null ? undefined : childOfType(list, 'simple_symbol', 'string');
  if (symbol === undefined) return undefined;
  return { name: nodeText(symbol, source).replace(/^:|^["']|["']$/g, ''), at: symbol };
}

/** `class Admin::User` is `User` inside `Admin`. */
function rubyScope(node: SyntaxNode, source: string): FoundName | undefined {
  const name = node.childForFieldName('name');
  return name === null ? undefined : splitOwners(nodeText(name, source), '::', name);
}

export const ruby: LanguageProfile = {
  method: named('method'),
  singleton_method: named('method'),
  class: found('class', rubyScope),
  module: found('module', rubyScope),
  assignment: found('constant', rubyConstant),
  call: found('method', rubyDefineMethod),
};

/** `function M.parse()`, `function Class:method()`, `M.parse = function()`, `{ parse = function() … }`. */
function luaFunction(node: SyntaxNode, source: string): FoundName | undefined {
  const name = node.childForFieldName('name');
  return name === null ? undefined : splitOwners(nodeText(name, source).replace(':', '.'), '.', name);
}

function luaAssignment(node: SyntaxNode, source: string): FoundName | undefined {
  const targets = childOfType(node, 'variable_list');
  const values = childOfType(node, 'expression_list');
  const target = targets?.children[0];
  if (target == null) return undefined;
  const isFunction = values?.children[0]?.type === 'function_definition';
  if (!isFunction && target.type !== 'identifier') return undefined;
  return { ...splitOwners(nodeText(target, source), '.', target), ...(isFunction ? { kind: 'function' } : {}) };
}

export const lua: LanguageProfile = {
  function_declaration: found('function', luaFunction),
  assignment_statement: found('variable', luaAssignment),
  field: found('function', (node, source) =>
    node.childForFieldName('value')?.type === 'function_definition'
      ? nameIn(node.childForFieldName('name'), source)
      : undefined,
  ),
};

export const bash: LanguageProfile = {
  function_definition: named('function'),
};

function powershellName(type: string) {
  return (node: SyntaxNode, source: string): FoundName | undefined => nameIn(childOfType(node, type), source);
}

export const powershell: LanguageProfile = {
  function_statement: found('function', powershellName('function_name')),
  class_statement: found('class', powershellName('simple_name')),
  class_method_definition: found('method', powershellName('simple_name')),
  enum_statement: found('enum', powershellName('simple_name')),
};

export const php: LanguageProfile = {
  function_definition: named('function'),
  method_declaration: named('method'),
  class_declaration: named('class'),
  interface_declaration: named('interface'),
  trait_declaration: named('trait'),
  enum_declaration: named('enum'),
  namespace_definition: named('namespace'),
  const_element: found('constant', (node, source) => nameIn(node.children[0], source)),
};

/** `a.b.c` → `c` inside `a.b`. */
export function splitOwners(text: string, separator: string, at: SyntaxNode): FoundName {
  const cut = text.lastIndexOf(separator);
  if (cut <= 0) return { name: cut === 0 ? text.slice(separator.length) : text, at };
  return { name: text.slice(cut + separator.length), at, owners: [text.slice(0, cut)] };
}
