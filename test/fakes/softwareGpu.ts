import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { inflate } from '@sparticuz/chromium';

/** Whether there is one: the library is built for Linux on x64. */
export const HAS_SOFTWARE_GPU = process.platform === 'linux' && process.arch === 'x64';

/**
 * What a process has to have in its environment to find a graphics processor that is a program: SwiftShader, as the browser
 * of the tests brings it along, with the loader for it. It computes what a real one does, some hundred times as slowly.
 */
export async function softwareGpuEnvironment(): Promise<Readonly<Record<string, string>>> {
  const archive = new URL('../bin/swiftshader.tar.br', import.meta.resolve('@sparticuz/chromium'));
  const folder = await inflate(fileURLToPath(archive));
  const driver = path.join(folder, 'vk_swiftshader_icd.json');
  const inherited = process.env['LD_LIBRARY_PATH'];
  return {
    VK_DRIVER_FILES: driver,
    VK_ICD_FILENAMES: driver,
    LD_LIBRARY_PATH: inherited === undefined ? folder : `${folder}:${inherited}`,
  };
}
