import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { expect, inject, test } from 'vitest';

const MEGABYTE = 1_000_000;
const extension = join(inject('extensionsDir'), await installedName());

async function installedName(): Promise<string> {
  const names = await readdir(inject('extensionsDir'));
  const name = names.find((candidate) => candidate.startsWith('tessera.tessera-'));
  if (name === undefined) throw new Error(`The packed extension is not installed: ${names.join(', ')}`);
  return name;
}

/** Every installed file with its size in bytes, by path with `/`. */
async function installedFiles(): Promise<ReadonlyMap<string, number>> {
  const entries = await readdir(extension, { recursive: true, withFileTypes: true });
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map(async (entry) => {
      const path = join(entry.parentPath, entry.name);
      return [relative(extension, path).split(sep).join('/'), (await stat(path)).size] as const;
    });
  return new Map(await Promise.all(sizes));
}

/** What differs from platform to platform, and what is many of a kind, under one name. */
function collapse(path: string): string {
  return path
    .replace(/@lancedb\/lancedb-[^/]+\/lancedb\..*\.node$/, '@lancedb/<platform>/<native>')
    .replace(/@lancedb\/lancedb-[^/]+\//, '@lancedb/<platform>/')
    .replace(/bin\/napi-v6\/.*$/, 'bin/<platform>/<native>')
    .replace(/dist\/grammars\/(?!tree-sitter\.).*\.wasm$/, 'dist/grammars/<language>.wasm')
    .replace(/(onnxruntime-(?:node|common)\/dist)\/.*\.js$/, '$1/<module>.js')
    .replace(/^l10n\/.*$/, 'l10n/<texts>')
    .replace(/^media\/(walkthrough|screenshots)\/.*$/, 'media/$1/<picture>');
}

const files = await installedFiles();
const contents = [...new Set([...files.keys()].map(collapse))].toSorted();

test('the package holds exactly what the extension needs', () => {
  expect(contents).toMatchInlineSnapshot(`
    [
      ".vsixmanifest",
      "LICENSE.txt",
      "THIRD_PARTY_NOTICES.txt",
      "changelog.md",
      "dist/chunker.js",
      "dist/cli.js",
      "dist/embedder.js",
      "dist/extension.cjs",
      "dist/grammars/<language>.wasm",
      "dist/grammars/tree-sitter.wasm",
      "dist/node_modules/@lancedb/<platform>/<native>",
      "dist/node_modules/@lancedb/<platform>/README.md",
      "dist/node_modules/@lancedb/<platform>/RUST_THIRD_PARTY_LICENSES.html",
      "dist/node_modules/@lancedb/<platform>/package.json",
      "dist/node_modules/onnxruntime-common/dist/<module>.js",
      "dist/node_modules/onnxruntime-common/dist/cjs/package.json",
      "dist/node_modules/onnxruntime-common/package.json",
      "dist/node_modules/onnxruntime-node/bin/<platform>/<native>",
      "dist/node_modules/onnxruntime-node/dist/<module>.js",
      "dist/node_modules/onnxruntime-node/package.json",
      "dist/server.js",
      "dist/webview/codicon.css",
      "dist/webview/codicon.ttf",
      "dist/webview/main.js",
      "dist/webview/status.js",
      "dist/webview/statusStyle.css",
      "dist/webview/style.css",
      "l10n/<texts>",
      "media/icon.png",
      "media/screenshots/<picture>",
      "media/view-dark.svg",
      "media/view-light.svg",
      "media/view.svg",
      "media/walkthrough/<picture>",
      "models/tessera-fast/README.md",
      "models/tessera-fast/config.json",
      "models/tessera-fast/onnx/model.onnx",
      "models/tessera-fast/tessera.json",
      "models/tessera-fast/tokenizer.json",
      "models/tessera-fast/tokenizer_config.json",
      "package.json",
      "package.nls.json",
      "readme.md",
    ]
  `);
});

const LIMITS_MB = {
  'dist/extension.cjs': 0.25,
  'dist/webview/': 0.4,
  'dist/server.js': 2,
  'dist/embedder.js': 1,
  'dist/cli.js': 2,
  'dist/grammars/': 60,
  'dist/node_modules/onnxruntime-node/': 70,
  'dist/node_modules/@lancedb/': 230,
  'models/': 30,
  'media/': 2,
};

for (const [part, limit] of Object.entries(LIMITS_MB)) {
  test(`${part} is no larger than ${limit} MB`, () => {
    const bytes = [...files].reduce((sum, [path, size]) => (path.startsWith(part) ? sum + size : sum), 0);
    console.log(`${part}: ${(bytes / MEGABYTE).toFixed(2)} MB`);
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThan(limit * MEGABYTE);
  });
}

test('only binaries of this platform are inside', () => {
  const native = [...files.keys()].filter((path) => /\.(node|so(\.\d+)*|dylib|dll)$/.test(path));
  const foreign = ['linux', 'darwin', 'win32'].filter((platform) => platform !== process.platform);
  expect(native.length).toBeGreaterThan(1);
  expect(native.filter((path) => foreign.some((platform) => path.includes(platform)))).toEqual([]);
});

test('no source maps, no sources', () => {
  expect([...files.keys()].filter((path) => /\.map$|(?<!\.d)\.ts$|\/src\//.test(path))).toEqual([]);
});

test('the manifest keeps nothing that only a checkout needs', async () => {
  const manifest = JSON.parse(await readFile(join(extension, 'package.json'), 'utf8')) as Record<string, unknown>;
  for (const key of ['scripts', 'dependencies', 'devDependencies', 'overrides', 'allowScripts', 'private', 'bin'])
    expect(manifest).not.toHaveProperty(key);
});

test('what others have written comes with its licence', async () => {
  const notices = await readFile(join(extension, 'THIRD_PARTY_NOTICES.txt'), 'utf8');
  const packages = [
    '@lancedb/lancedb',
    'onnxruntime-node',
    'onnxruntime-common',
    'web-tree-sitter',
    '@vscode/codicons',
  ];
  for (const name of [...packages, 'apache-arrow', 'picomatch', '@vscode/tree-sitter-wasm', 'tree-sitter-scala'])
    expect(notices).toMatch(new RegExp(`^${name} \\d[^:]*: [A-Z]`, 'm'));
  // Every title is followed by a text.
  for (const section of notices.split(/^={80}$/m).slice(1)) expect(section.length).toBeGreaterThan(400);
});

test('what the manifest and the README point to is inside', async () => {
  const manifest = await readFile(join(extension, 'package.json'), 'utf8');
  const named = [...manifest.matchAll(/"(?:\.\/)?((?:dist|media)\/[^"]+)"/g)].map((match) => match[1] ?? '');
  const readme = await readFile(join(extension, 'readme.md'), 'utf8');
  const pictures = [...readme.matchAll(/!\[[^\]]*\]\(([^)]+)\)/g)].map((match) => match[1] ?? '');
  expect(pictures.filter((path) => /^\w+:/.test(path))).toEqual([]);
  for (const path of [...named, ...pictures]) expect([...files.keys()]).toContain(path);
});
