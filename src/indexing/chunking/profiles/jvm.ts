import { found, named, nameIn, type FoundName, type LanguageProfile } from '../profile.ts';
import { childOfType, hasChildOfType, nodeText, type SyntaxNode } from '../syntax.ts';

function kotlinClass(node: SyntaxNode, source: string): FoundName | undefined {
  const name = nameIn(childOfType(node, 'type_identifier'), source);
  if (name === undefined) return undefined;
  if (hasChildOfType(node, 'interface')) return { ...name, kind: 'interface' };
  return hasChildOfType(node, 'enum') || hasChildOfType(node, 'enum_class_body') ? { ...name, kind: 'enum' } : name;
}

/** `fun <T> List<T>.second()` is `second` inside `List`. */
function kotlinFunction(node: SyntaxNode, source: string): FoundName | undefined {
  let receiver: SyntaxNode | undefined;
  for (const child of node.children) {
    if (child === null) continue;
    const type = child.type;
    if (type === 'simple_identifier')
      return withReceiver({ name: nodeText(child, source), at: child }, receiver, source);
    if (type === 'user_type' || type === 'nullable_type') receiver = child;
  }
  return undefined;
}

function kotlinProperty(node: SyntaxNode, source: string): FoundName | undefined {
  const variable = childOfType(node, 'variable_declaration');
  const name = nameIn(variable && childOfType(variable, 'simple_identifier'), source);
  return name && withReceiver(name, childOfType(node, 'user_type', 'nullable_type'), source);
}

function withReceiver(name: FoundName, receiver: SyntaxNode | undefined, source: string): FoundName {
  const type = receiver === undefined ? undefined : /[A-Za-z_]\w*/.exec(nodeText(receiver, source))?.[0];
  return type === undefined ? name : { ...name, owners: [type] };
}

export const kotlin: LanguageProfile = {
  class_declaration: found('class', kotlinClass),
  object_declaration: found('object', (node, source) => nameIn(childOfType(node, 'type_identifier'), source)),
  function_declaration: found('function', kotlinFunction),
  property_declaration: found('property', kotlinProperty),
  type_alias: found('type', (node, source) => nameIn(childOfType(node, 'type_identifier'), source)),
};

export const scala: LanguageProfile = {
  class_definition: named('class'),
  object_definition: named('object'),
  package_object: named('object'),
  trait_definition: named('trait'),
  enum_definition: named('enum'),
  function_definition: named('function'),
  function_declaration: named('function'),
  given_definition: named('constant'),
  type_definition: named('type'),
  val_definition: found('constant', (node, source) => {
    const pattern = node.childForFieldName('pattern');
    return pattern?.type === 'identifier' ? nameIn(pattern, source) : undefined;
  }),
};

/** A method's signature is a sibling of its body; only the signature inside has the name. */
const DART_SIGNATURE = named('function');
export const dart: LanguageProfile = {
  class_definition: named('class'),
  mixin_declaration: found('class', (node, source) => nameIn(childOfType(node, 'identifier'), source)),
  extension_declaration: found('extension', (node, source) => {
    const name = nameIn(node.childForFieldName('name') ?? node.childForFieldName('class'), source);
    return name && { ...name, declares: node.childForFieldName('name') !== null };
  }),
  enum_declaration: named('enum'),
  static_final_declaration: found('constant', (node, source) => nameIn(childOfType(node, 'identifier'), source)),
  type_alias: found('type', (node, source) => nameIn(childOfType(node, 'type_identifier'), source)),
  function_signature: DART_SIGNATURE,
  getter_signature: DART_SIGNATURE,
  setter_signature: DART_SIGNATURE,
  factory_constructor_signature: named('constructor'),
  constructor_signature: named('constructor'),
};
