/**
 * The adapter for `evaluate.py`: `node bench/searchTool.ts <folder> <queries.jsonl>` indexes the folder into a temporary
 * place and answers every query. `TESSERA_MODEL` names another model than the bundled one.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { withSession } from '../src/cli/session.ts';
import { packageRoot } from '../src/cli/packagePlaces.ts';
import { BUNDLED_MODEL } from '../src/protocol/embedder.ts';
import { NO_FILTERS } from '../src/protocol/hit.ts';

const RESULTS_PER_QUERY = 50;

const [folderArgument, queriesFile] = process.argv.slice(2);
if (folderArgument === undefined || queriesFile === undefined) {
  console.error('usage: searchTool.ts <folder> <queries.jsonl>');
  process.exit(2);
}
const folder = path.resolve(folderArgument);
const indexDir = await mkdtemp(path.join(tmpdir(), 'tessera-bench-'));
const model = process.env['TESSERA_MODEL'] ?? path.join(packageRoot(), 'models', BUNDLED_MODEL);
try {
  await withSession('searchTool', { indexDir, model, logLevel: 'off' }, async (session) => {
    const { engine, signal } = session;
    const index = await session.openFolder(folder);
    await index.index({ rebuild: false }, signal);
    for (const line of (await readFile(queriesFile, 'utf8')).split('\n')) {
      if (line.trim() === '') continue;
      const { id, query } = JSON.parse(line) as { id: string; query: string };
      const answer = await engine.search(
        // The benchmark's queries are questions, never filters.
        { folders: [folder], query, limit: RESULTS_PER_QUERY, filters: NO_FILTERS, explain: false },
        signal,
      );
      const results = answer.hits.map(({ path: file, startLine, endLine }) => ({ path: file, startLine, endLine }));
      console.log(JSON.stringify({ id, results }));
    }
  });
} finally {
  await rm(indexDir, { recursive: true, force: true });
}
process.exit(0);
