import { setInterval } from 'node:timers';
import { connectToParent } from '../../src/process/parentLink.ts';
import { RequestServer } from '../../src/process/requestServer.ts';

export interface EchoRequests {
  [method: string]: readonly [unknown, unknown];
  double: readonly [Float32Array, Float32Array];
  hang: readonly [null, null];
  exit: readonly [{ readonly code: number }, null];
  die: readonly [{ readonly signal: NodeJS.Signals }, null];
  giveFunction: readonly [unknown, unknown];
  environment: readonly [{ readonly name: string }, string | null];
}
export interface EchoEvents {
  [name: string]: unknown;
  ready: null;
}

/** A child for tests of process/: does what it is told, and nothing at all when its argument is `mute`. */
const link = connectToParent();
// Only the parent's leaving ends this process.
setInterval(() => undefined, 1 << 30);
const server = new RequestServer<EchoRequests, EchoEvents>(link, {
  double: (values) => values.map((value) => value * 2),
  hang: () => new Promise<null>(() => undefined),
  exit: ({ code }) => {
    process.stderr.write('last words\n');
    process.exit(code);
  },
  die: ({ signal }) => {
    process.kill(process.pid, signal);
    return new Promise<null>(() => undefined);
  },
  giveFunction: () => () => undefined,
  environment: ({ name }) => process.env[name] ?? null,
});
if (process.argv[2] === 'exit-at-start') process.exit(7);
if (process.argv[2] !== 'mute') server.emit('ready', null);
