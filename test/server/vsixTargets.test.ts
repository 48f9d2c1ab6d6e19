import { execFile } from 'node:child_process';
import { access, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { VSIX_TARGETS } from '../../scripts/vsixTargets.ts';

const ROOT = join(import.meta.dirname, '../..');
const RUNTIMES = join(ROOT, 'node_modules/onnxruntime-node/bin/napi-v6');

it('there is a package for every platform both native libraries are made for', async () => {
  const manifest = await readFile(join(ROOT, 'node_modules/@lancedb/lancedb/package.json'), 'utf8');
  const { optionalDependencies } = JSON.parse(manifest) as { optionalDependencies: Record<string, string> };
  const platforms = await readdir(RUNTIMES);
  const both: string[] = [];
  for (const platform of platforms) {
    for (const arch of await readdir(join(RUNTIMES, platform))) {
      const name = `@lancedb/lancedb-${platform}-${arch}`;
      const found = Object.keys(optionalDependencies).find(
        (known) => known === name || known === `${name}-gnu` || known === `${name}-msvc`,
      );
      if (found !== undefined) both.push(`${platform}-${arch} ${platform}/${arch} ${found}`);
    }
  }
  const offered = Object.entries(VSIX_TARGETS).map(
    ([target, { onnxruntime, lancedb }]) => `${target} ${onnxruntime} ${lancedb}`,
  );
  expect(offered.toSorted()).toEqual(both.toSorted());
  for (const { onnxruntime } of Object.values(VSIX_TARGETS)) await access(join(RUNTIMES, onnxruntime));
});

it('a platform without binaries is refused in one sentence that names the others', async () => {
  const packing = promisify(execFile)(process.execPath, ['scripts/package.mjs', '--target', 'darwin-x64'], {
    cwd: ROOT,
  });
  await expect(packing).rejects.toMatchObject({
    code: 2,
    stderr: `No native binaries exist for "darwin-x64"; choose one of ${Object.keys(VSIX_TARGETS).join(', ')}.\n`,
  });
});
