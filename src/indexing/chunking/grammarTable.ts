/** Where a tree-sitter grammar comes from. */
export interface Grammar {
  /** File name under `dist/grammars/`. */
  readonly wasm: string;
  /** npm package and the file inside it that is copied there. */
  readonly package: string;
  readonly file: string;
}

const fromCollection = (name: string): Grammar => ({
  wasm: `${name}.wasm`,
  package: 'tree-sitter-wasms',
  file: `out/tree-sitter-${name}.wasm`,
});
const fromVSCode = (name: string): Grammar => ({
  wasm: `${name}.wasm`,
  package: '@vscode/tree-sitter-wasm',
  file: `wasm/tree-sitter-${name}.wasm`,
});
const fromItsOwn = (name: string, packageName = `tree-sitter-${name}`): Grammar => ({
  wasm: `${name}.wasm`,
  package: packageName,
  file: `tree-sitter-${name}.wasm`,
});

/**
 * Language id → grammar. Read by the chunker and by the build, which copies the files. VS Code's own collection first; the
 * older one for what it lacks (its Bash does not parse: it wants a C function web-tree-sitter has not); Lua and Scala on
 * their own because the older ones do not know today's syntax (errors in 54 of 65 files of lazy.nvim, 151 of 200 of http4s; here 0 and 1).
 */
export const GRAMMARS: Readonly<Record<string, Grammar>> = {
  typescript: fromVSCode('typescript'),
  typescriptreact: fromVSCode('tsx'),
  // The TSX grammar would read these too; the own one is a third of its size.
  javascript: fromVSCode('javascript'),
  javascriptreact: fromVSCode('javascript'),
  python: fromVSCode('python'),
  go: fromVSCode('go'),
  rust: fromVSCode('rust'),
  java: fromVSCode('java'),
  c: fromCollection('c'),
  cpp: fromVSCode('cpp'),
  'cuda-cpp': fromVSCode('cpp'),
  csharp: fromVSCode('c-sharp'),
  ruby: fromVSCode('ruby'),
  php: fromVSCode('php'),
  kotlin: fromCollection('kotlin'),
  swift: fromCollection('swift'),
  scala: fromItsOwn('scala'),
  lua: fromItsOwn('lua', '@tree-sitter-grammars/tree-sitter-lua'),
  shellscript: fromVSCode('bash'),
  powershell: fromVSCode('powershell'),
  elixir: fromCollection('elixir'),
  zig: fromCollection('zig'),
  haskell: fromItsOwn('haskell'),
  ocaml: fromCollection('ocaml'),
  dart: fromCollection('dart'),
  solidity: fromCollection('solidity'),
};
