import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Sends a signal to the processes that run one of the bundles of the extensions in a folder; how many there were. */
export async function signalAll(
  extensionsDir: string,
  bundle: 'server.js' | 'embedder.js',
  signal: NodeJS.Signals,
): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,args='], { maxBuffer: 1 << 26 });
  const lines = stdout
    .split('\n')
    .filter((line) => line.includes(join(extensionsDir, 'tessera.')) && line.includes(`dist/${bundle}`));
  for (const line of lines) {
    try {
      process.kill(Number(line.trim().split(' ')[0]), signal);
    } catch (error) {
      // Gone already.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
  return lines.length;
}
