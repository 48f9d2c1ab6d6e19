/**
 * Packs one VSIX with only one platform's native binaries: `npm run package [-- --target linux-x64] [--out FILE]`.
 * The bundles in dist/ must have been built. Another platform's LanceDB binary is fetched through npm.
 */
import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { createVSIX } from '@vscode/vsce';
import { GRAMMARS } from '../src/indexing/chunking/grammarTable.ts';
import { COLLECTED_GRAMMARS, noticeOf, packageFolderOf, thirdPartyNotices } from './thirdPartyNotices.ts';
import { VSIX_TARGETS } from './vsixTargets.ts';

const run = promisify(execFile);
const root = dirname(import.meta.dirname);
const require = createRequire(import.meta.url);

const CONTENTS = [
  'dist',
  'media',
  'models',
  'l10n',
  'README.md',
  'CHANGELOG.md',
  'LICENSE',
  'package.json',
  'package.nls.json',
];

const { values: options } = parseArgs({
  options: { target: { type: 'string', default: `${process.platform}-${process.arch}` }, out: { type: 'string' } },
});
const target = VSIX_TARGETS[options.target];
if (target === undefined) {
  process.stderr.write(
    `No native binaries exist for "${options.target}"; choose one of ${Object.keys(VSIX_TARGETS).join(', ')}.\n`,
  );
  process.exit(2);
}
const { onnxruntime: onnxruntimeFolder, lancedb: lancedbPackage } = target;
const stage = join(root, 'out/vsix', options.target);

async function stageExtension() {
  await rm(stage, { recursive: true, force: true });
  await mkdir(stage, { recursive: true });
  for (const name of CONTENTS) {
    await cp(join(root, name), join(stage, name), { recursive: true, filter: (path) => !path.endsWith('.map') }).catch(
      (error) => {
        if (error.code !== 'ENOENT' || name !== 'l10n') throw error;
      },
    );
  }
  // The manifest as a person installs it: what only a checkout needs is left out.
  const manifest = JSON.parse(await readFile(join(stage, 'package.json'), 'utf8'));
  for (const key of ['scripts', 'devDependencies', 'dependencies', 'overrides', 'allowScripts', 'private', 'bin'])
    delete manifest[key];
  await writeFile(join(stage, 'package.json'), JSON.stringify(manifest, null, 2));
  // Everything staged is meant to be packed; without this file the packer warns that nobody chose.
  await writeFile(join(stage, '.vscodeignore'), '');
}

async function stageOnnxRuntime() {
  const from = dirname(require.resolve('onnxruntime-node/package.json'));
  const to = join(stage, 'dist/node_modules/onnxruntime-node');
  await cp(join(from, 'dist'), join(to, 'dist'), { recursive: true, filter: (path) => !/\.(map|d\.ts)$/.test(path) });
  await cp(join(from, 'package.json'), join(to, 'package.json'));
  await cp(join(from, 'bin/napi-v6', onnxruntimeFolder), join(to, 'bin/napi-v6', onnxruntimeFolder), {
    recursive: true,
  });
  const common = dirname(dirname(dirname(require.resolve('onnxruntime-common'))));
  const commonTo = join(stage, 'dist/node_modules/onnxruntime-common');
  await cp(join(common, 'dist/cjs'), join(commonTo, 'dist/cjs'), {
    recursive: true,
    filter: (path) => !/\.(map|d\.ts)$/.test(path),
  });
  await cp(join(common, 'package.json'), join(commonTo, 'package.json'));
}

async function stageLanceDb() {
  const to = join(stage, 'dist/node_modules', lancedbPackage);
  const installed = join(root, 'node_modules', lancedbPackage);
  try {
    await cp(installed, to, { recursive: true });
    return;
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  const { version } = JSON.parse(await readFile(join(root, 'node_modules/@lancedb/lancedb/package.json'), 'utf8'));
  const downloads = join(root, 'out/downloads');
  await mkdir(downloads, { recursive: true });
  const wanted = `${lancedbPackage}@${version}`;
  const { stdout } = await run('npm', ['pack', wanted, '--loglevel', 'error', '--pack-destination', downloads]).catch(
    (error) => {
      process.stderr.write(
        `${wanted}, which the VSIX for ${options.target} needs, could not be fetched through npm. ${error.stderr}`,
      );
      process.exit(1);
    },
  );
  await mkdir(to, { recursive: true });
  await run('tar', ['-xzf', join(downloads, stdout.trim()), '-C', to, '--strip-components=1']);
}

/** Licences of all that is bundled, copied and packed. The build leaves the list of what it bundled in out/. */
async function stageNotices() {
  const bundled = JSON.parse(await readFile(join(root, 'out/bundled.json'), 'utf8'));
  const copied = [...Object.values(GRAMMARS).map((grammar) => grammar.package), 'web-tree-sitter', '@vscode/codicons'];
  const folders = new Set([
    ...bundled.map((file) => packageFolderOf(join(root, file))).filter((folder) => folder !== undefined),
    ...[...copied, 'onnxruntime-node', 'onnxruntime-common', '@lancedb/lancedb'].map((name) =>
      join(root, 'node_modules', name),
    ),
  ]);
  const notices = await Promise.all([...folders].map(noticeOf));
  const apacheText = await readFile(join(root, 'LICENSE'), 'utf8');
  const text = thirdPartyNotices([...notices, ...COLLECTED_GRAMMARS], apacheText);
  await writeFile(join(stage, 'THIRD_PARTY_NOTICES.txt'), text);
  // What LanceDB's binary was linked from; the page is its own.
  const linked = 'RUST_THIRD_PARTY_LICENSES.html';
  await cp(
    join(root, 'node_modules/@lancedb/lancedb', linked),
    join(stage, 'dist/node_modules', lancedbPackage, linked),
  );
}

await stageExtension();
await Promise.all([stageOnnxRuntime(), stageLanceDb()]);
await stageNotices();
const { name, version } = JSON.parse(await readFile(join(stage, 'package.json'), 'utf8'));
const packagePath = options.out ?? join(root, `${name}-${options.target}-${version}.vsix`);
await createVSIX({
  cwd: stage,
  packagePath,
  target: options.target,
  dependencies: false,
  allowMissingRepository: true,
  // Pictures and pages the README names are inside the package; there is no repository to point to instead.
  rewriteRelativeLinks: false,
  skipLicense: false,
});
process.stdout.write(`${packagePath}\n`);
