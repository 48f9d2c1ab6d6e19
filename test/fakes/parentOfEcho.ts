import { fileURLToPath } from 'node:url';
import { spawnChild } from '../../src/process/childProcess.ts';

/** Starts an echo child, prints its process id, and waits to be killed. */
const child = spawnChild({ modulePath: fileURLToPath(new URL('./echoChild.ts', import.meta.url)) });
child.link.onMessage(() => process.stdout.write(`${child.pid ?? ''}\n`));
