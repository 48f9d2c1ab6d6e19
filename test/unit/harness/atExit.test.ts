import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';

const AT_EXIT = pathToFileURL(join(import.meta.dirname, '../../vscode/harness/atExit.ts')).href;

/** Writes ever more files into the folder it is given, which it makes when it is gone; ends by itself only much later. */
const WRITER = `
  const { mkdirSync, writeFileSync } = require('node:fs');
  for (let at = 0; at < 50_000; at++) {
    mkdirSync(process.argv[1] + '/' + at, { recursive: true });
    writeFileSync(process.argv[1] + '/' + at + '/file', '');
  }`;

const INTERRUPTED = `
  import { spawn } from 'node:child_process';
  import { once } from 'node:events';
  import { existsSync } from 'node:fs';
  import { killAtExit, removeAtExit } from ${JSON.stringify(AT_EXIT)};
  const [folder, writer, signal] = process.argv.slice(1);
  removeAtExit(folder);
  const ended = spawn(process.execPath, ['-e', ''], { detached: true });
  await once(ended, 'exit');
  killAtExit(ended);
  killAtExit(spawn(process.execPath, ['-e', writer, folder], { detached: true, stdio: ['ignore', 'inherit', 'ignore'] }));
  setInterval(() => {
    if (existsSync(folder + '/100')) process.kill(process.pid, signal);
  }, 10);`;

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
])('%s: what was started is ended before the folder it still writes to is removed', async (signal, status) => {
  const home = await mkdtemp(join(tmpdir(), 'tessera-exit-'));
  const folder = join(home, 'folder');
  const child = spawn(process.execPath, ['--input-type=module', '-e', INTERRUPTED, folder, WRITER, signal]);
  let printed = '';
  child.stderr.on('data', (data: Buffer) => (printed += data.toString()));
  child.stdout.resume();
  // Its output is closed when the writer has ended too.
  const [code] = (await once(child, 'close')) as [number];
  const isLeft = existsSync(folder);
  await rm(home, { recursive: true, force: true });
  expect({ code, printed, isLeft }).toEqual({ code: status, printed: '', isLeft: false });
});
