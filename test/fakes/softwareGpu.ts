import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { brotliDecompressSync } from 'node:zlib';

/** Whether there is one: the library is built for Linux on x64. */
export const HAS_SOFTWARE_GPU = process.platform === 'linux' && process.arch === 'x64';

/**
 * A graphics processor that is a program: SwiftShader, as the browser of the tests brings it along, with the loader for it. It computes
 * what a real one does, some hundred times as slowly. A process finds it by these variables of its environment.
 */
export async function unpackSoftwareGpu(): Promise<{
  readonly environment: Readonly<Record<string, string>>;
  readonly remove: () => Promise<void>;
}> {
  const archive = new URL('../bin/swiftshader.tar.br', import.meta.resolve('@sparticuz/chromium'));
  const folder = await mkdtemp(path.join(tmpdir(), 'tessera-gpu-'));
  execFileSync('tar', ['-x', '-C', folder], { input: brotliDecompressSync(await readFile(archive)) });
  const driver = path.join(folder, 'vk_swiftshader_icd.json');
  const inherited = process.env['LD_LIBRARY_PATH'];
  return {
    environment: {
      VK_DRIVER_FILES: driver,
      VK_ICD_FILENAMES: driver,
      LD_LIBRARY_PATH: inherited === undefined ? folder : `${folder}:${inherited}`,
    },
    remove: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
}
