/** What a path says about the kind of file it is: most questions are about none of these. */
export const PATH_TRAITS = ['test', 'example', 'docs', 'generated', 'compat', 'stub', 'data'] as const;
export type PathTrait = (typeof PATH_TRAITS)[number];

const FOLDERS: readonly (readonly [PathTrait, RegExp])[] = [
  [
    'test',
    /^(?:[Tt]ests?|[Ss]pecs?|__tests?__|[Tt]est[Dd]ata|test-data|test[-_]?suites?|test[-_]?cases?|fixtures?|mocks?|__mocks__|e2e|(?:integration|functional|unit)[-_]?tests?|.+[._-]tests?|.+(?:Tests?|[._-]spec|Specs))$/,
  ],
  [
    'example',
    /^(?:examples?|samples?|demos?|playgrounds?|sandbox|benchmarks?|benches|bench|tutorials?|cookbook|docs?_src|website|snippets)$/i,
  ],
  ['docs', /^(?:docs?|documentation|man|guides?)$/i],
  [
    'generated',
    /^(?:_?vendor(?:ed)?|third[-_]?party|node_modules|dist|build|out|generated|gen|deps|external|extern|bundled|_build)$/i,
  ],
  ['compat', /^(?:compat|_?legacy|deprecated|polyfills?|shims?|old|obsolete)$/i],
];

const NAMES: readonly (readonly [PathTrait, RegExp])[] = [
  [
    'test',
    /^(?:test_.+|.+[._-](?:tests?|specs?|unittest)|.+(?:Tests?|TestCase|Spec|Specs|IT)|conftest|tests?|spec_helper)\.[A-Za-z0-9]+$/,
  ],
  ['example', /(?:^|[._-])(?:example|sample|demo|bench(?:mark)?)s?\.[a-z]+$|(?:Benchmarks?|Sample)\.[a-z]+$/],
  [
    'docs',
    /\.(?:md|mdx|markdown|rst|adoc|asciidoc|textile|rdoc|txt)$|^(?:readme|changes|change[-_]?log|news|history|release[-_]?notes|authors|contribut(?:ors|ing)|copying|licen[sc]e|notice|todo|thanks|maintainers|security|upgrading)$/i,
  ],
  // `.api`: the dumps of Kotlin's binary compatibility validator.
  ['generated', /\.(?:min|generated|g|pb)\.[a-z]+$|_generated\.|_pb2?\.|\.api$/i],
  ['compat', /(?:^|[._-])(?:compat|legacy|deprecated|polyfill|shim)s?(?:[._-]|$)/i],
  ['stub', /\.(?:d\.[cm]?ts|pyi)$/],
  [
    'data',
    /\.(?:json|jsonc|ya?ml|toml|xml|csproj|props|targets|svg|html|css|scss|less|lock|cfg|ini|m4|am|cmake|sln|gradle|properties|sql|bat|gemspec|plist|mod|sum|nix|txt)$|^(?:Makefile|Dockerfile|CMakeLists\.txt|Rakefile|Gemfile)/i,
  ],
];

/** The words with which a question asks for such files after all. */
const ASKED_FOR: Readonly<Partial<Record<PathTrait, RegExp>>> = {
  test: /\b(?:tests?|testing|specs?|mocks?|fixtures?)\b/i,
  example: /\b(?:examples?|samples?|demos?|bench(?:marks?)?|tutorials?)\b/i,
  docs: /\b(?:docs?|documentation|readme|guides?|changelog|documented|tutorials?)\b/i,
  generated: /\b(?:vendor(?:ed)?|third.party|generated)\b/i,
  compat: /\b(?:compat\w*|legacy|deprecated?|polyfills?|shims?)\b/i,
  stub: /\b(?:stubs?|typings|declarations?|\.d\.ts|pyi)\b/i,
  data: /\b(?:config\w*|json|ya?ml|toml|xml|css|html|dependenc\w+|makefile|dockerfile|cmake|workflows?|build (?:script|file)s?)\b/i,
};

/** Traits of a folder-relative path. */
export function pathTraits(path: string): ReadonlySet<PathTrait> {
  const traits = new Set<PathTrait>();
  const parts = path.split('/');
  const name = parts.pop() ?? '';
  for (const part of parts) {
    for (const [trait, pattern] of FOLDERS) if (pattern.test(part)) traits.add(trait);
    // Settings of tools: `.github/workflows`, `.circleci`.
    if (part.startsWith('.')) traits.add('data');
  }
  for (const [trait, pattern] of NAMES) if (pattern.test(name)) traits.add(trait);
  if (name.startsWith('.')) traits.add('data');
  return traits;
}

/** Whether the words of a question ask for files of this kind. */
export function asksFor(trait: PathTrait, question: string): boolean {
  return ASKED_FOR[trait]?.test(question) ?? false;
}
