import { join } from 'node:path';
import { tmpdir } from 'node:os';
import sparticuz, { inflate } from '@sparticuz/chromium';
import { type Browser, chromium } from 'playwright-core';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/**
 * A headless Chromium: the one `CHROMIUM_EXECUTABLE` names, else the one the npm package unpacks. On a machine
 * without the libraries it links to (NSS), those shipped in the same package are put on its library path.
 */
export async function launchBrowser(): Promise<Browser> {
  const named = process.env['CHROMIUM_EXECUTABLE'];
  const executablePath = named ?? (await sparticuz.executablePath());
  try {
    return await chromium.launch({ executablePath, args: FLAGS });
  } catch (error) {
    if (named !== undefined) throw error;
    await inflate(join(import.meta.dirname, '../../../node_modules/@sparticuz/chromium/bin/al2023.tar.br'));
    const libraries = join(tmpdir(), 'al2023/lib');
    const inherited = process.env['LD_LIBRARY_PATH'];
    return chromium.launch({
      executablePath,
      args: FLAGS,
      env: { ...process.env, LD_LIBRARY_PATH: inherited === undefined ? libraries : `${libraries}:${inherited}` },
    });
  }
}
