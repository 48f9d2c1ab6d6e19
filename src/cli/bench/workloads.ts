import { embeddingText } from '../../indexing/embeddingText.ts';
import type { Scope } from '../../protocol/scope.ts';
import { createChunker } from '../../server/chunking/createChunker.ts';
import { FILE_SCANNER } from '../../server/scanner/fileScanner.ts';
import { SeededRandom } from '../../synthetic/random.ts';

/** Lengths of texts, in tokens and in order of arrival. */
export interface Workload {
  readonly name: string;
  readonly lengths: readonly number[];
}

type Draw = (random: SeededRandom, maxTokens: number) => number;

/** Median and spread of the chunks of many repositories, docs included. */
const MEDIAN_TOKENS = 117;
const SPREAD = 0.9;

const DRAWS: Readonly<Record<string, Draw>> = {
  'log-normal': (random) => MEDIAN_TOKENS * Math.exp(SPREAD * random.normal()),
  short: (random) => 8 + random.integer(24),
  'at the limit': (_, maxTokens) => maxTokens,
  bimodal: (random, maxTokens) =>
    random.uniform() < 0.5 ? 20 + random.integer(10) : maxTokens - random.integer(Math.ceil(maxTokens / 8)),
};

export const DRAWN_WORKLOADS = Object.keys(DRAWS);

/** A workload drawn at random, always the same for the same seed; undefined when there is none of this name. */
export function drawWorkload(name: string, count: number, maxTokens: number, seed: number): Workload | undefined {
  const draw = DRAWS[name];
  if (draw === undefined) return undefined;
  const random = new SeededRandom(seed);
  const lengths = Array.from({ length: count }, () =>
    Math.max(4, Math.min(maxTokens, Math.round(draw(random, maxTokens)))),
  );
  return { name, lengths };
}

/** Names of the workloads of a folder's own chunks. */
export const REAL_WORKLOADS: Readonly<Record<string, Scope>> = { code: 'code', docs: 'docs' };

const MAX_FILE_BYTES = 1 << 20;

/**
 * The chunks of a folder's files as the index would cut them, measured by a tokenizer: up to `count` of each scope, in
 * the order of the files.
 */
export async function realWorkloads(
  folder: string,
  count: number,
  countTokens: (text: string) => number,
  signal: AbortSignal | undefined,
): Promise<Workload[]> {
  const lengths: Record<Scope, number[]> = { code: [], docs: [] };
  const chunker = createChunker();
  try {
    for await (const entry of FILE_SCANNER.scanFolder(folder, {
      maxFileBytes: MAX_FILE_BYTES,
      exclude: [],
      useIgnoreFiles: true,
    })) {
      signal?.throwIfAborted();
      if (entry.kind !== 'file') continue;
      const outcome = await FILE_SCANNER.readSource(folder, entry.path, { maxFileBytes: MAX_FILE_BYTES });
      if (outcome.kind !== 'document' || lengths[outcome.document.scope].length >= count) continue;
      for (const chunk of await chunker.chunk(outcome.document))
        lengths[outcome.document.scope].push(countTokens(embeddingText(entry.path, chunk)));
      if (lengths.code.length >= count && lengths.docs.length >= count) break;
    }
  } finally {
    chunker.dispose();
  }
  return Object.entries(REAL_WORKLOADS).map(([name, scope]) => ({ name, lengths: lengths[scope].slice(0, count) }));
}
