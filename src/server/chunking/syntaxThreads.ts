import { availableParallelism } from 'node:os';
import type { Clock } from '../../base/clock.ts';
import { Deferred } from '../../base/deferred.ts';
import type { Chunk, SourceDocument } from '../../indexing/document.ts';
import { SYSTEM_CLOCK } from '../../process/systemClock.ts';
import { type CutResult, disposedError, type SyntaxThread } from './syntaxThread.ts';

/** Cutting a file takes about as much processor time as embedding it by the bundled model; each thread may hold every grammar, 50 MB. */
const MAX_THREADS = 4;
/** How long a document waits for a thread that was given up and is tried once more: one that is well is up in a tenth of it. */
const LAST_WAIT_MS = 5000;

/** Threads worth having on this machine. */
export function threadCount(): number {
  return Math.min(MAX_THREADS, availableParallelism());
}

interface Slot {
  readonly thread: Pick<SyntaxThread, 'cut' | 'revive' | 'dispose' | 'restMs' | 'isUsable' | 'isGivenUp'>;
  /** UTF-16 code units sent and not answered. */
  waiting: number;
}

/** Cuts documents on several threads, each of which starts when all before it have something to do. */
export class SyntaxThreads {
  readonly #slots: readonly Slot[];
  readonly #clock: Clock;
  /** Ends the waits of documents for a thread. */
  readonly #waits = new Set<() => void>();
  #isDisposed = false;

  constructor(threads: readonly Slot['thread'][], clock: Clock = SYSTEM_CLOCK) {
    this.#slots = threads.map((thread) => ({ thread, waiting: 0 }));
    this.#clock = clock;
  }

  /** The chunks; undefined when the document could not be cut along a tree, or no thread can be had. Rejects with `disposed`. */
  async cut(document: SourceDocument): Promise<readonly Chunk[] | undefined> {
    let waitUntilMs: number | undefined;
    for (;;) {
      if (this.#isDisposed) throw disposedError();
      const others = this.#slots.flatMap(({ thread }) => (thread.isUsable ? [] : [thread]));
      const restsMs: number[] = [];
      const revivals: Promise<void>[] = [];
      for (const thread of others) {
        const { restMs } = thread;
        if (restMs > 0) restsMs.push(restMs);
        else revivals.push(thread.revive());
      }
      const usable = this.#slots.filter(({ thread }) => thread.isUsable);
      if (usable.length > 0) {
        const result = await cutIn(leastWaiting(usable), document);
        if (result !== 'not begun') return result;
      } else if (!others.every(({ isGivenUp }) => isGivenUp)) {
        await this.#untilOneIsBack(revivals, restsMs);
      } else {
        const now = this.#clock.now();
        waitUntilMs ??= now + LAST_WAIT_MS;
        if (revivals.length === 0 || now >= waitUntilMs) return undefined;
        await this.#untilOneIsBack(revivals, [waitUntilMs - now]);
      }
    }
  }

  dispose(): void {
    this.#isDisposed = true;
    for (const { thread } of this.#slots) thread.dispose();
    for (const end of this.#waits) end();
  }

  /** Until a thread that is started is up or rests again, or the first of the times has passed. */
  async #untilOneIsBack(revivals: readonly Promise<void>[], timesMs: readonly number[]): Promise<void> {
    const over = new Deferred<void>();
    const end = (): void => over.resolve();
    this.#waits.add(end);
    const timer = timesMs.length > 0 ? this.#clock.after(Math.min(...timesMs), end) : undefined;
    await Promise.race([...revivals, over.promise]);
    timer?.dispose();
    this.#waits.delete(end);
  }
}

async function cutIn(slot: Slot, document: SourceDocument): Promise<CutResult> {
  slot.waiting += document.text.length;
  try {
    return await slot.thread.cut(document);
  } finally {
    slot.waiting -= document.text.length;
  }
}

function leastWaiting(slots: readonly Slot[]): Slot {
  return slots.reduce((least, other) => (other.waiting < least.waiting ? other : least));
}
