import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../../..');
/** ONNX Runtime takes these for a build machine and reports nothing there anyway. */
const BUILD_MACHINE =
  /^(?:CI|TF_BUILD|GITHUB_ACTIONS|BUILD_|JENKINS_|TRAVIS|CIRCLECI|TEAMCITY|APPVEYOR|CODEBUILD|ORT_)/;

const PROGRAM = `
  const { MatrixProduct } = await import(process.argv[1] + '/src/embedder/matrixProduct.ts');
  const { buildMatrixProducts } = await import(process.argv[1] + '/src/synthetic/smallModels.ts');
  const product = await MatrixProduct.open(
    buildMatrixProducts({ inner: 4, columns: 4, products: 1, precision: 'float32', seed: 1 }),
    { values: new Float32Array(16), rows: 4, inner: 4 },
    1,
  );
  await product.run();
  console.log('ran');
`;

describe('ONNX Runtime', () => {
  let home = '';
  beforeEach(() => (home = mkdtempSync(join(tmpdir(), 'tessera-home-'))));
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  it('is loaded with its telemetry off: it runs a graph and leaves nothing in the caches of the person', () => {
    const inherited = Object.entries(process.env).filter(([name]) => !BUILD_MACHINE.test(name));
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', PROGRAM, ROOT], {
      encoding: 'utf8',
      env: { ...Object.fromEntries(inherited), HOME: home, XDG_CACHE_HOME: join(home, 'cache') },
    });
    expect(stdout, stderr).toBe('ran\n');
    expect(readdirSync(home, { recursive: true })).toEqual([]);
  });
});
