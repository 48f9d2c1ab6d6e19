import { TOKEN_KINDS, type TokenColors, type TokenKind } from '../../protocol/view.ts';

/** One rule of a colour theme's `tokenColors`. */
export interface TokenRule {
  readonly scope?: string | readonly string[];
  readonly settings?: { readonly foreground?: string };
}

/** TextMate scopes that stand for a kind of token, the most telling first. */
const SCOPES: Readonly<Record<TokenKind, readonly string[]>> = {
  comment: ['comment'],
  string: ['string.quoted', 'string'],
  number: ['constant.numeric', 'constant'],
  keyword: ['keyword.control', 'keyword', 'storage'],
  storage: ['storage.type', 'storage', 'keyword'],
  type: ['entity.name.type', 'support.type', 'entity.name.class', 'support.class', 'entity.name'],
  function: ['entity.name.function', 'support.function'],
  heading: ['markup.heading', 'entity.name.section'],
};

const COLOR = /^#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})$/i;

/** The foreground each kind of token has in a theme; later rules win over earlier ones of the same scope. */
export function tokenColorsOf(rules: readonly TokenRule[]): TokenColors {
  const byScope = new Map<string, string>();
  for (const { scope, settings } of rules) {
    const foreground = settings?.foreground;
    if (foreground === undefined || !COLOR.test(foreground)) continue;
    const selectors = typeof scope === 'string' ? scope.split(',') : (scope ?? []);
    // Only plain selectors: a descendant selector (`source.css string`) is about one language.
    for (const selector of selectors) byScope.set(selector.trim(), foreground);
  }
  const colors: Partial<Record<TokenKind, string>> = {};
  for (const kind of TOKEN_KINDS) {
    const color = SCOPES[kind].map((scope) => colorOf(scope, byScope)).find((found) => found !== undefined);
    if (color !== undefined) colors[kind] = color;
  }
  return colors;
}

/** A scope's colour, or that of the nearest scope around it. */
function colorOf(scope: string, byScope: ReadonlyMap<string, string>): string | undefined {
  for (let name = scope; name !== ''; name = name.slice(0, Math.max(0, name.lastIndexOf('.')))) {
    const color = byScope.get(name);
    if (color !== undefined) return color;
  }
  return undefined;
}

/** JSON as themes are written: with comments and trailing commas. @throws SyntaxError as `JSON.parse` does. */
export function parseJsonWithComments(text: string): unknown {
  const plain = text.replace(/"(?:[^"\\]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (match) =>
    match.startsWith('"') ? match : '',
  );
  const strict = plain.replace(/"(?:[^"\\]|\\.)*"|,(?=\s*[}\]])/g, (match) => (match.startsWith('"') ? match : ''));
  return JSON.parse(strict.replace(/^\uFEFF/, ''));
}
