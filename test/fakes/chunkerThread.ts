/** A thread that answers like a chunker's, and misbehaves as it is told: by the numbers of its starts, and by the texts it gets. */
import { parentPort, workerData } from 'node:worker_threads';
import type { SyntaxAnswer, SyntaxJob } from '../../src/server/chunking/syntaxWorkerProtocol.ts';

export interface ChunkerFaults {
  /** Two numbers of four bytes that count across threads: starts, and documents begun with. */
  readonly counts: SharedArrayBuffer;
  /** The first so many threads end before they begin with anything. */
  readonly endEarly?: number;
  /** The first so many threads are never up. */
  readonly beginNothing?: number;
  /** The first so many threads are up, and end before they begin with what they are given. */
  readonly endUp?: number;
}

const { counts, endEarly = 0, beginNothing = 0, endUp = 0 } = workerData as ChunkerFaults;
const numbers = new Int32Array(counts);
const start = Atomics.add(numbers, 0, 1) + 1;
const answer = (message: SyntaxAnswer): void => parentPort?.postMessage(message);

if (start <= endEarly) process.exit(1);
if (start > beginNothing) answer({ kind: 'up' });

parentPort?.on('message', ({ id, document }: SyntaxJob) => {
  if (start <= beginNothing) return;
  if (start <= endUp) process.exit(1);
  answer({ kind: 'begun', id });
  Atomics.add(numbers, 1, 1);
  if (document.text === 'ends the thread') process.exit(1);
  if (document.text === 'takes for ever') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  answer({ kind: 'cut', id, chunks: [] });
});
