/**
 * `node bench/pipeline.ts [files] [model] [rounds]`: the share of the embedder's own speed that indexing keeps. The same texts go through
 * a whole first pass (scan, read, cut, embed, commit) and straight to the embedder, in turns, in one process and on one embedder. Also how long tokenising takes
 * beside the runs it precedes, on the same thread.
 * `model` is a folder or `synthetic:SIZE`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { SILENT_LOGGER } from '../src/base/logger.ts';
import { writeSyntheticModel } from '../src/cli/bench/benchModel.ts';
import { summarize } from '../src/cli/bench/benchReport.ts';
import { SYSTEM_CLOCK } from '../src/process/systemClock.ts';
import type { EmbedParams, EmbedderSettings } from '../src/protocol/embedder.ts';
import type { Scope } from '../src/protocol/scope.ts';
import { createChunker } from '../src/server/chunking/createChunker.ts';
import { EmbedderClient } from '../src/server/embedder/embedderClient.ts';
import { spawnEmbedder } from '../src/server/embedder/spawnEmbedder.ts';
import { FolderIndex } from '../src/server/folderIndex.ts';
import { TypingRest } from '../src/server/indexer/typingRest.ts';
import { FILE_SCANNER } from '../src/server/scanner/fileScanner.ts';
import { NO_EMBEDDING_CACHE } from '../src/server/store/embeddingCache.ts';
import { makeSourceTree } from './sourceTree.ts';

const FILES = Number(process.argv[2] ?? 60);
const MODEL = process.argv[3] ?? 'synthetic:small-4x256';
const ROUNDS = Number(process.argv[4] ?? 5);

/** An embedder that remembers what it was asked. */
class RecordingEmbedder extends EmbedderClient {
  readonly asked: EmbedParams[] = [];

  override embed(params: EmbedParams, signal?: AbortSignal) {
    this.asked.push(params);
    return super.embed(params, signal);
  }
}

const synthetic = MODEL.startsWith('synthetic:') ? await writeSyntheticModel(MODEL) : undefined;
const model = synthetic?.folder ?? path.resolve(MODEL);
const folder = makeSourceTree(FILES);
const root = mkdtempSync(path.join(os.tmpdir(), 'tessera-pipeline-'));
const settings: EmbedderSettings = {
  models: { code: model, docs: model },
  device: 'cpu',
  threads: 0,
  sessions: 0,
  batchSize: 0,
  memoryCeilingMb: 0,
  latencyCeilingMs: 100,
  tunerStateFile: path.join(root, 'tuner.json'),
};
const embedder = new RecordingEmbedder({
  settings,
  spawn: () => spawnEmbedder(),
  clock: SYSTEM_CLOCK,
  logger: SILENT_LOGGER,
});
const chunker = createChunker();

async function indexOnce(round: number): Promise<{ readonly seconds: number; readonly tokens: number }> {
  embedder.asked.length = 0;
  const index = new FolderIndex({
    folder,
    indexDir: path.join(root, String(round)),
    settings: { embedder: settings, maxFileBytes: 1 << 20, exclude: [], useIgnoreFiles: true },
    embedder,
    cache: NO_EMBEDDING_CACHE,
    chunker,
    scanner: FILE_SCANNER,
    rest: new TypingRest(SYSTEM_CLOCK),
    clock: SYSTEM_CLOCK,
    logger: SILENT_LOGGER,
    program: 'bench',
  });
  const { seconds, tokens } = await index.index({ rebuild: false });
  await index.close();
  return { seconds, tokens };
}

async function embedAll(): Promise<number> {
  const startedAt = performance.now();
  await Promise.all(
    (['code', 'docs'] as const).map((scope: Scope) => {
      const texts = embedder.asked.filter((params) => params.scope === scope).flatMap((params) => params.texts);
      return EmbedderClient.prototype.embed.call(embedder, { texts, role: 'document', scope, lane: 'bulk' });
    }),
  );
  return (performance.now() - startedAt) / 1_000;
}

try {
  // The first round teaches the tuner and is not counted.
  await indexOnce(0);
  await embedAll();
  const rounds: { readonly indexSeconds: number; readonly rawSeconds: number; readonly tokens: number }[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    const { seconds, tokens } = await indexOnce(round);
    rounds.push({ indexSeconds: seconds, rawSeconds: await embedAll(), tokens });
  }
  console.table(rounds.map((round) => ({ ...round, share: round.rawSeconds / round.indexSeconds })));
  const sum = (pick: (round: (typeof rounds)[number]) => number) =>
    rounds.reduce((total, round) => total + pick(round), 0);
  // Of the sums: a busy machine doubles single times.
  const share = sum(({ rawSeconds }) => rawSeconds) / sum(({ indexSeconds }) => indexSeconds);
  const spread = summarize(rounds.map(({ rawSeconds, indexSeconds }) => rawSeconds / indexSeconds));
  const scopes = Object.values((await embedder.metrics())?.scopes ?? {}).filter(({ runs }) => runs > 0);
  const tokenizeMs = scopes.reduce((total, scope) => total + scope.tokenizeMs, 0);
  const runMs = scopes.reduce((total, scope) => total + (1_000 * scope.realTokens) / scope.tokensPerSecond, 0);
  const tokenizing = { tokenizeMs: Math.round(tokenizeMs), runMs: Math.round(runMs), share: tokenizeMs / runMs };
  console.log(JSON.stringify({ model: MODEL, files: FILES, rounds, share, spread, tokenizing }));
} finally {
  embedder.dispose();
  chunker.dispose();
  await synthetic?.remove();
  rmSync(root, { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
}
