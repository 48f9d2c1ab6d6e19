import { availableParallelism } from 'node:os';
import type { Logger } from '../../base/logger.ts';
import type { Chunk, SourceDocument } from '../../indexing/document.ts';
import { SyntaxThread } from './syntaxThread.ts';
import type { SyntaxWorkerData } from './syntaxWorkerProtocol.ts';

/** Cutting a file takes about as much processor time as embedding it by the bundled model; each thread may hold every grammar, 50 MB. */
const MAX_THREADS = 4;

interface Slot {
  readonly thread: SyntaxThread;
  /** UTF-16 code units sent and not answered. */
  waiting: number;
}

/** Cuts documents on several threads, each of which starts when all before it have something to do. */
export class SyntaxThreads {
  readonly #slots: readonly Slot[];

  constructor(data: SyntaxWorkerData, logger?: Logger, count: number = Math.min(MAX_THREADS, availableParallelism())) {
    this.#slots = Array.from({ length: count }, () => ({ thread: new SyntaxThread(data, logger), waiting: 0 }));
  }

  /** The chunks; undefined when the document could not be cut along a tree. Rejects with `disposed`. */
  async cut(document: SourceDocument): Promise<readonly Chunk[] | undefined> {
    const slot = this.#slots.reduce((least, other) => (other.waiting < least.waiting ? other : least));
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
