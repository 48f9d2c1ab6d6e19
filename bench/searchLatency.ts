/**
 * Milliseconds of a search by stage over an index that is there: `node bench/searchLatency.ts FOLDER --index-dir DIR [--queries 100] [--json]`.
 * Queries are words of the folder's own definitions, so that every stage has work to do.
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot } from '../src/cli/packagePlaces.ts';
import { withSession } from '../src/cli/session.ts';
import { SILENT_LOGGER } from '../src/base/logger.ts';
import { resolveLanguage } from '../src/indexing/languages.ts';
import { BUNDLED_MODEL } from '../src/protocol/embedder.ts';
import { NO_FILTERS } from '../src/protocol/hit.ts';
import { collectEvidence } from '../src/search/evidence.ts';
import { rank } from '../src/search/ranking.ts';
import { parseQuery } from '../src/search/searchQuery.ts';
import { MemoryIndex } from '../src/server/search/memoryIndex.ts';
import { Corpora } from './retrieval/corpus.ts';
import { SeededRandom } from '../src/synthetic/random.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'index-dir': { type: 'string' },
    queries: { type: 'string', default: '100' },
    json: { type: 'boolean', default: false },
  },
});
const [folder] = positionals;
if (folder === undefined || values['index-dir'] === undefined) {
  console.error('usage: searchLatency.ts FOLDER --index-dir DIR [--queries 100] [--json]');
  process.exit(2);
}
const indexDir = path.resolve(values['index-dir']);
const model = path.join(packageRoot(), 'models', BUNDLED_MODEL);

await withSession('searchLatency', { indexDir, model, logLevel: 'off' }, async (session) => {
  const { reader, models } = await session.openFolder(path.resolve(folder));
  const embedder = new Corpora({ model, cacheDir: null });
  if (reader === undefined || models === undefined) throw new Error(`${folder} is not indexed.`);
  const rssBefore = process.memoryUsage.rss();
  const shape = {
    dimensions: { code: models.code.dimension, docs: models.docs.dimension },
    hasOneSpace: reader.hasOneVectorSpace,
  };
  const memory = new MemoryIndex(reader, shape, SILENT_LOGGER);
  const startedAt = performance.now();
  const index = await memory.current();
  const loadMs = performance.now() - startedAt;
  const loadedMb = (process.memoryUsage.rss() - rssBefore) / 1e6;

  const names = index.segments.flatMap(({ chunks }) =>
    chunks.flatMap(({ definitions }) => definitions.map((d) => d.pieces.join(' '))),
  );
  const random = new SeededRandom(5);
  const draw = () => names[Math.floor(random.uniform() * names.length)] ?? 'parse';
  const stages: Record<string, number[]> = { version: [], embed: [], evidence: [], rank: [], total: [] };
  const timed = async <T>(stage: string, work: () => T | Promise<T>): Promise<T> => {
    const from = performance.now();
    const result = await work();
    stages[stage]?.push(performance.now() - from);
    return result;
  };
  for (let number = 0; number < Number(values.queries); number++) {
    const text = `how does ${draw()} use ${draw()}`;
    await timed('version', () => memory.current());
    const [vector = null] = await timed('embed', () => embedder.embedQueries([text]));
    const evidence = await timed('evidence', () =>
      collectEvidence({
        index,
        query: parseQuery(text, resolveLanguage),
        vectors: { code: vector, docs: null },
        acceptsFile: () => true,
        acceptsChunk: () => true,
        recencyOf: () => 0,
        openPaths: [],
      }),
    );
    await timed('rank', () => rank(evidence, 20));
    await timed('total', () =>
      session.engine.search({
        folders: [path.resolve(folder)],
        query: text,
        limit: 10,
        filters: NO_FILTERS,
        explain: false,
      }),
    );
  }
  // The first searches warm the code up and load the engine's own index.
  const rows = Object.entries(stages).map(([stage, all]) => {
    const sorted = all.slice(3).sort((left, right) => left - right);
    const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] ?? NaN;
    return { stage, p50Ms: at(0.5), p95Ms: at(0.95) };
  });
  embedder.dispose();
  const report = {
    chunks: index.chunkCount,
    files: index.fileCount,
    loadMs,
    loadedMb,
    arraysMb: index.byteLength / 1e6,
    stages: rows,
  };
  if (values.json) {
    console.log(JSON.stringify(report));
    return;
  }
  console.log(
    `${report.chunks} chunks of ${report.files} files; loaded in ${Math.round(loadMs)} ms, arrays ${Math.round(report.arraysMb)} MB, resident +${Math.round(loadedMb)} MB`,
  );
  for (const { stage, p50Ms, p95Ms } of rows) {
    console.log(`${stage.padEnd(12)}p50 ${p50Ms.toFixed(1).padStart(8)} ms   p95 ${p95Ms.toFixed(1).padStart(8)} ms`);
  }
});
process.exit(0);
