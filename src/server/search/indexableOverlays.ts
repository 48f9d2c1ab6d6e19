import { type CancellationSignal, throwIfCancelled } from '../../base/cancellation.ts';
import type { Clock } from '../../base/clock.ts';
import { errorMessage, isTesseraError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { languageOfDocument } from '../../indexing/languages.ts';
import { measureLines, skipByContent } from '../../indexing/skipRules.ts';
import type { OverlayText } from '../../protocol/server.ts';
import type { PathVerdict } from '../scanner/entries.ts';

export interface IndexableOverlaysOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** What the paths of a folder are, in their order. Slow: it asks git. */
  readonly judge: (
    folder: string,
    paths: readonly string[],
    signal: CancellationSignal | undefined,
  ) => Promise<readonly PathVerdict[]>;
}

/** What a path is is asked anew after this: typing in the search box must not start git with every key. */
const REMEMBERED_MS = 3_000;

interface Judged {
  readonly mayBeIndexed: boolean;
  readonly untilMs: number;
}

/**
 * Picks those of the unsaved texts that would be indexed if they were saved: an editor may hold a secret or an ignored file, which no
 * search may show.
 */
export class IndexableOverlays {
  readonly #options: IndexableOverlaysOptions;
  /** By folder, then by path. */
  readonly #judged = new Map<string, Map<string, Judged>>();

  constructor(options: IndexableOverlaysOptions) {
    this.#options = options;
  }

  /** A folder that cannot be judged loses its unsaved texts, not the search over the others. Rejects with `cancelled` only. */
  async pick(
    overlays: readonly OverlayText[],
    signal: CancellationSignal | undefined,
  ): Promise<readonly OverlayText[]> {
    const byFolder = Map.groupBy(overlays, ({ folder }) => folder);
    const kept = await Promise.all([...byFolder].map(([folder, own]) => this.#pickOf(folder, own, signal)));
    return kept.flat();
  }

  /** The rules of the folder may be others now. */
  forget(folder: string): void {
    this.#judged.delete(folder);
  }

  async #pickOf(
    folder: string,
    overlays: readonly OverlayText[],
    signal: CancellationSignal | undefined,
  ): Promise<readonly OverlayText[]> {
    const now = this.#options.clock.now();
    const before = [...(this.#judged.get(folder) ?? [])].filter(([, { untilMs }]) => now < untilMs);
    const judged = new Map(before);
    this.#judged.set(folder, judged);
    const paths = overlays.map(({ path }) => path).filter((path) => !judged.has(path));
    try {
      const verdicts = paths.length === 0 ? [] : await this.#options.judge(folder, paths, signal);
      throwIfCancelled(signal);
      const untilMs = now + REMEMBERED_MS;
      for (const [index, path] of paths.entries()) {
        judged.set(path, { mayBeIndexed: mayBeIndexed(verdicts[index]), untilMs });
      }
    } catch (error) {
      if (isTesseraError(error, 'cancelled')) throw error;
      this.#options.logger.warn('unsaved texts were left out', { folder, error: errorMessage(error) });
      return [];
    }
    return overlays.filter(
      (overlay) => judged.get(overlay.path)?.mayBeIndexed === true && !isSkippedByContent(overlay),
    );
  }
}

/** A new file is empty on the disk until it is first saved. */
function mayBeIndexed(verdict: PathVerdict | undefined): boolean {
  return verdict?.kind === 'file' || (verdict?.kind === 'skipped' && verdict.reason === 'empty');
}

function isSkippedByContent({ path, text }: OverlayText): boolean {
  const skip = skipByContent(text, measureLines(text), languageOfDocument(path, text).scope);
  // All of its text was deleted: what is stored of it is not there any more.
  return skip !== undefined && skip.reason !== 'empty';
}
