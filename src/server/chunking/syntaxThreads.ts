import { availableParallelism } from 'node:os';
import type { Chunk, SourceDocument } from '../../indexing/document.ts';
import type { SyntaxThread } from './syntaxThread.ts';

/** Cutting a file takes about as much processor time as embedding it by the bundled model; each thread may hold every grammar, 50 MB. */
const MAX_THREADS = 4;

/** Threads worth having on this machine. */
export function threadCount(): number {
  return Math.min(MAX_THREADS, availableParallelism());
}

interface Slot {
  readonly thread: Pick<SyntaxThread, 'cut' | 'dispose' | 'isUsable'>;
  /** UTF-16 code units sent and not answered. */
  waiting: number;
}

/** Cuts documents on several threads, each of which starts when all before it have something to do. */
export class SyntaxThreads {
  readonly #slots: readonly Slot[];

  constructor(threads: readonly Slot['thread'][]) {
    this.#slots = threads.map((thread) => ({ thread, waiting: 0 }));
  }

  /** The chunks; undefined when the document could not be cut along a tree. Rejects with `disposed`. */
  async cut(document: SourceDocument): Promise<readonly Chunk[] | undefined> {
    // One that was given up answers at once that it cannot, and would have the least before it for ever.
    const usable = this.#slots.filter(({ thread }) => thread.isUsable);
    const slot = leastWaiting(usable.length > 0 ? usable : this.#slots);
    slot.waiting += document.text.length;
    try {
      return await slot.thread.cut(document);
    } finally {
      slot.waiting -= document.text.length;
    }
  }

  dispose(): void {
    for (const { thread } of this.#slots) thread.dispose();
  }
}

function leastWaiting(slots: readonly Slot[]): Slot {
  return slots.reduce((least, other) => (other.waiting < least.waiting ? other : least));
}
