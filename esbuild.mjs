/** Builds one bundle per process into dist/ (`--tests`: the suites for VS Code into out/ as well). Native modules stay outside. */
import { chmod, copyFile, glob, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const { values: options } = parseArgs({
  options: { production: { type: 'boolean', default: false }, tests: { type: 'boolean', default: false } },
});

const root = import.meta.dirname;
const resolveModule = createRequire(import.meta.url).resolve;
/** Native modules, found in node_modules at run time; LanceDB's own JavaScript is bundled, its embedding providers are never loaded. */
const EXTERNAL = ['onnxruntime-node', '@lancedb/lancedb-*', 'openai', '@huggingface/transformers'];

/** @type {import('esbuild').BuildOptions} */
const common = {
  absWorkingDir: root,
  bundle: true,
  sourcemap: options.production ? false : 'linked',
  minify: options.production,
  keepNames: true,
  legalComments: 'none',
  logLevel: 'warning',
  logOverride: { 'empty-import-meta': 'silent' },
  // Packaging names the licence of every package that went into a bundle.
  metafile: true,
};

/**
 * `import * as vscode` in a CommonJS bundle makes each file a copy of the whole interface, some 600 properties of it, when the bundle is
 * loaded: 15 of the 20 ms that took. All files share one module with the names the sources use instead, read or destructured.
 */
const oneVSCode = {
  name: 'one-vscode',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^vscode$/ }, ({ kind, path }) =>
      kind === 'require-call' ? { path, external: true } : { path, namespace: 'one-vscode' },
    );
    onLoad({ filter: /.*/, namespace: 'one-vscode' }, async () => {
      const names = [...(await namesOfVSCode())].toSorted();
      return { contents: `const api = require('vscode');\nexport const { ${names.join(', ')} } = api;` };
    });
  },
};

/** What the host's sources take from `vscode`, types among it, which are undefined and shaken off. */
async function namesOfVSCode() {
  const names = new Set();
  for await (const path of glob(['src/extension.ts', 'src/host/**/*.ts'], { cwd: root })) {
    const source = await readFile(join(root, path), 'utf8');
    for (const [, name] of source.matchAll(/\bvscode\.(\w+)/g)) names.add(name);
    for (const [, list] of source.matchAll(/\{([^{}]*)\} (?:from 'vscode'|= vscode);/g))
      // Of `name: own` and `name as own` the first; what a destructuring takes is not checked by the bundler.
      for (const [, name] of list.matchAll(/(\w+)(?:(?:: | as )\w+)?/g)) names.add(name);
  }
  return names;
}

/** Processes of our own: ES modules, with `require` for the CommonJS packages bundled into them. */
const nodeProcess = {
  ...common,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  external: EXTERNAL,
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
};

async function copyInto(folder, files) {
  await mkdir(folder, { recursive: true });
  await Promise.all(files.map(([from, to]) => copyFile(from, join(folder, to))));
}

async function copyGrammars() {
  const { GRAMMARS } = await import('./src/indexing/chunking/grammarTable.ts');
  const files = new Map(
    Object.values(GRAMMARS).map((grammar) => [grammar.wasm, resolveModule(`${grammar.package}/${grammar.file}`)]),
  );
  await copyInto(join(root, 'dist/grammars'), [
    ...[...files].map(([name, from]) => [from, name]),
    [resolveModule('web-tree-sitter/tree-sitter.wasm'), 'tree-sitter.wasm'],
  ]);
}

async function copyWebviewAssets() {
  const codicons = dirname(resolveModule('@vscode/codicons/dist/codicon.css'));
  await copyInto(
    join(root, 'dist/webview'),
    ['codicon.css', 'codicon.ttf'].map((name) => [join(codicons, name), name]),
  );
}

await rm(join(root, 'dist'), { recursive: true, force: true });
const [extension, processes, webview] = await Promise.all([
  build({
    ...common,
    platform: 'node',
    format: 'cjs',
    target: 'node22',
    plugins: [oneVSCode],
    logOverride: { ...common.logOverride, 'import-is-undefined': 'error' },
    entryPoints: { extension: 'src/extension.ts' },
    outdir: 'dist',
    outExtension: { '.js': '.cjs' },
  }),
  build({
    ...nodeProcess,
    entryPoints: {
      server: 'src/server/main.ts',
      chunker: 'src/server/chunking/syntaxWorker.ts',
      embedder: 'src/embedder/main.ts',
      cli: 'src/cli/main.ts',
    },
    outdir: 'dist',
  }),
  build({
    ...common,
    platform: 'browser',
    format: 'iife',
    target: 'es2022',
    entryPoints: {
      main: 'src/webview/main.ts',
      style: 'src/webview/style.css',
      status: 'src/webview/status/main.ts',
      statusStyle: 'src/webview/status/statusStyle.css',
    },
    outdir: 'dist/webview',
  }),
  copyGrammars(),
  copyWebviewAssets(),
]);
await chmod(join(root, 'dist/cli.js'), 0o755);
const inputs = [extension, processes, webview].flatMap(({ metafile }) => Object.keys(metafile.inputs));
await mkdir(join(root, 'out'), { recursive: true });
await writeFile(join(root, 'out/bundled.json'), JSON.stringify([...new Set(inputs)].toSorted()));

if (options.tests) {
  await build({
    ...common,
    platform: 'node',
    format: 'cjs',
    target: 'node22',
    external: ['vscode', 'mocha'],
    entryPoints: { index: 'test/vscode/index.ts', companion: 'test/vscode/companion.ts' },
    outdir: 'out/test-vscode',
    outExtension: { '.js': '.cjs' },
  });
}
const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
process.stdout.write(`Built Tessera ${version} into dist/.\n`);
