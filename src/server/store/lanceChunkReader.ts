import { TesseraError } from '../../base/errors.ts';
import type { SearchFilters } from '../../protocol/hit.ts';
import type { Scope } from '../../protocol/scope.ts';
import type {
  ChunkReader,
  ChunkRow,
  ChunkWithVector,
  FileRecord,
  StoredRows,
  TextCandidate,
  VectorBlock,
  VectorCandidate,
} from './chunkStore.ts';
import { matchTokens } from './fullTextIndex.ts';
import type { LanceTable } from './lanceTable.ts';
import { filterPredicate } from './pathFilter.ts';
import {
  CHUNK_COLUMNS,
  FILE_COLUMNS,
  decodeChunks,
  decodeFiles,
  decodeScored,
  decodeStrings,
  decodeVectors,
} from './rowDecoding.ts';
import { UNINDEXED_ID } from './idIndex.ts';
import { FILE_ORDINAL } from './rowEncoding.ts';
import { sqlAnd, sqlIn } from './sqlText.ts';
import { NO_VECTOR_SPACES, type VectorSpaces, distinctSpaces } from './vectorSpaces.ts';

interface VersionedRecords {
  readonly version: number;
  /** By path. */
  readonly records: Map<string, FileRecord>;
}

/** What is asked of the chunk table of one folder. */
export abstract class LanceChunkReader implements ChunkReader {
  readonly name: string;
  readonly spaces: VectorSpaces;
  protected readonly table: LanceTable;
  #files: VersionedRecords | undefined;
  /** Settles when a commit of this process is known in `#files` too. */
  #committing: Promise<unknown> | undefined;

  constructor(table: LanceTable, spaces: VectorSpaces) {
    this.name = table.name;
    this.spaces = spaces;
    this.table = table;
  }

  abstract get isComplete(): boolean;

  get hasVectors(): boolean {
    return this.spaces !== NO_VECTOR_SPACES;
  }

  get hasOneVectorSpace(): boolean {
    return this.spaces.code.column === this.spaces.docs.column;
  }

  async nearest(query: {
    readonly vector: Float32Array;
    readonly limit: number;
    readonly filters: SearchFilters;
  }): Promise<readonly VectorCandidate[]> {
    const { scope } = query.filters;
    if (scope === 'all' && !this.hasOneVectorSpace) {
      throw new TesseraError('invalid-argument', 'Code and docs have different models: search one scope at a time.');
    }
    const space = this.spaces[scope === 'all' ? 'code' : scope];
    if (query.vector.length !== space.dimension) {
      throw new TesseraError(
        'invalid-argument',
        `The query vector has ${query.vector.length} of ${space.dimension} values.`,
      );
    }
    const where = await this.#predicate(query.filters);
    const result = await this.table.read('nearest', (table) => {
      // Vectors have unit length, so that the dot product is the cosine and costs less.
      const search = table
        .vectorSearch(query.vector)
        .column(space.column)
        .distanceType('dot')
        .select([...CHUNK_COLUMNS, '_distance'])
        .limit(query.limit);
      return (where === undefined ? search : search.where(where)).toArrow();
    });
    return decodeScored(result, '_distance', 'similarity', (distance) => 1 - distance);
  }

  async matching(query: {
    readonly tokens: readonly string[];
    readonly limit: number;
    readonly filters: SearchFilters;
  }): Promise<readonly TextCandidate[]> {
    if (query.tokens.length === 0) return [];
    const where = await this.#predicate(query.filters);
    const result = await this.table.read('matching', (table) =>
      matchTokens(table, { ...query, columns: CHUNK_COLUMNS, where }),
    );
    return decodeScored(result, '_score', 'bm25');
  }

  async defining(query: {
    readonly names: readonly string[];
    readonly limit: number;
    readonly filters: SearchFilters;
  }): Promise<readonly ChunkRow[]> {
    if (query.names.length === 0) return [];
    const names = query.names.map((name) => `'${name.replaceAll("'", "''")}'`).join(', ');
    const where = sqlAnd(`array_has_any(definitions, [${names}])`, await this.#predicate(query.filters));
    return decodeChunks(await this.table.select('defining', where, CHUNK_COLUMNS, query.limit));
  }

  async chunksOf(path: string): Promise<readonly ChunkRow[]> {
    const where = sqlAnd('ordinal >= 0', sqlIn('path', [path]));
    const rows = decodeChunks(await this.table.select('chunksOf', where, CHUNK_COLUMNS));
    return rows.sort((a, b) => a.ordinal - b.ordinal);
  }

  async textsById(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>();
    const read = async (where: string): Promise<void> => {
      // Read with every key that is typed, so no column more than is shown: of 54,900 chunks 60 texts take 11 ms, all columns 19, by the index of ids 5.
      const rows = await this.table.select('textsById', where, ['id', 'text']);
      const texts = decodeStrings(rows, 'text');
      decodeStrings(rows, 'id').forEach((id, row) => found.set(id, texts[row] ?? ''));
    };
    if (ids.length === 0) return found;
    // The index only makes it faster. Damaged, it fails or keeps rows back: what it did not give is looked for in all rows.
    await read(sqlIn('id', ids)).catch(() => undefined);
    const missing = ids.filter((id) => !found.has(id));
    if (missing.length > 0) await read(sqlIn(UNINDEXED_ID, missing));
    return found;
  }

  async vectorsById(scope: Scope, ids: readonly string[]): Promise<VectorBlock> {
    return this.#vectors(scope, sqlAnd('ordinal >= 0', sqlIn(UNINDEXED_ID, ids)));
  }

  async vectorsOf(scope: Scope, paths: readonly string[]): Promise<VectorBlock> {
    return this.#vectors(scope, sqlAnd('ordinal >= 0', sqlIn('path', paths)));
  }

  async *scanVectors(scope: Scope): AsyncIterable<VectorBlock> {
    const { column, dimension } = this.spaces[scope];
    // By file rather than by page: a page's place would move with a commit in between.
    const paths = [...(await this.files()).values()].filter((file) => file.scope === scope && file.chunks > 0);
    const filesPerBlock = 1_000;
    for (let from = 0; from < paths.length; from += filesPerBlock) {
      const block = paths.slice(from, from + filesPerBlock).map(({ path }) => path);
      const where = sqlAnd('ordinal >= 0', block.length === paths.length ? `scope = '${scope}'` : sqlIn('path', block));
      yield decodeVectors(await this.table.select('scanVectors', where, ['id', 'path', column]), column, dimension);
    }
  }

  async vectorsByHash(scope: Scope, hashes: readonly string[]): Promise<ReadonlyMap<string, Float32Array>> {
    const { column, dimension } = this.spaces[scope];
    const found = new Map<string, Float32Array>();
    if (hashes.length === 0 || (await this.files()).size === 0) return found;
    const where = sqlAnd('ordinal >= 0', `scope = '${scope}'`, sqlIn('chunkHash', hashes));
    const rows = await this.table.select('vectorsByHash', where, ['chunkHash', column]);
    const block = decodeVectors(rows, column, dimension, 'chunkHash');
    block.ids.forEach((hash, index) => {
      found.set(hash, block.vectors.subarray(index * dimension, (index + 1) * dimension));
    });
    return found;
  }

  async chunksWithVectors(paths: readonly string[]): Promise<readonly ChunkWithVector[]> {
    if (paths.length === 0) return [];
    const spaces = distinctSpaces(this.spaces);
    const where = sqlAnd('ordinal >= 0', sqlIn('path', paths));
    const rows = await this.table.select('chunksWithVectors', where, [
      ...CHUNK_COLUMNS,
      ...spaces.map(({ column }) => column),
    ]);
    const vectorOf = new Map<string, Float32Array>();
    for (const { column, dimension } of spaces) {
      const { ids, vectors } = decodeVectors(rows, column, dimension);
      ids.forEach((id, row) => vectorOf.set(id, vectors.subarray(row * dimension, (row + 1) * dimension)));
    }
    return decodeChunks(rows)
      .sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : a.ordinal - b.ordinal))
      .map((chunk) => ({ ...chunk, vector: vectorOf.get(chunk.id) ?? null }));
  }

  async rowsOf(paths: readonly string[]): Promise<StoredRows> {
    const where = sqlAnd('ordinal >= 0', sqlIn('path', paths));
    const columns = distinctSpaces(this.spaces).map(({ column }) => column);
    const rows = await this.table.select('rowsOf', where, [...CHUNK_COLUMNS, 'searchText', ...columns]);
    const texts = decodeStrings(rows, 'searchText');
    const chunks = decodeChunks(rows);
    const withVector = new Set<string>();
    for (const { column, dimension } of distinctSpaces(this.spaces)) {
      const { ids, vectors } = decodeVectors(rows, column, dimension);
      ids.forEach((id, row) => {
        if (isUnitLength(vectors.subarray(row * dimension, (row + 1) * dimension))) withVector.add(id);
      });
    }
    return { chunks, searchTexts: new Map(chunks.map(({ id }, row) => [id, texts[row] ?? ''])), withVector };
  }

  async strayPaths(): Promise<readonly string[]> {
    const rows = await this.table.select('strayPaths', 'ordinal >= -1', ['id', 'path']);
    const ids = decodeStrings(rows, 'id');
    const files = await this.files();
    const seen = new Set<string>();
    const stray = new Set<string>();
    decodeStrings(rows, 'path').forEach((path, row) => {
      const id = ids[row] ?? '';
      if (seen.has(id) || !files.has(path)) stray.add(path);
      seen.add(id);
    });
    return [...stray];
  }

  files(): Promise<ReadonlyMap<string, FileRecord>> {
    return this.records();
  }

  /** By the records last read: cheap, and at most one commit of another process behind. */
  get counts(): { readonly files: number; readonly chunks: number } {
    let files = 0;
    let chunks = 0;
    for (const record of this.#files?.records.values() ?? []) {
      if (record.skipped === null || record.chunks > 0) files += 1;
      chunks += record.chunks;
    }
    return { files, chunks };
  }

  /** The live view of `files()`, for whoever writes. */
  protected async records(): Promise<Map<string, FileRecord>> {
    const version = await this.table.version();
    if (this.#files?.version === version) return this.#files.records;
    // The disk has it a moment before memory: no reason to read all files anew.
    if (this.#committing !== undefined) return this.#committing.then(() => this.records());
    const rows = await this.table.select('files', `ordinal = ${FILE_ORDINAL}`, FILE_COLUMNS);
    const records = new Map(decodeFiles(rows).map((record) => [record.path, record]));
    this.#files = { version, records };
    return records;
  }

  /** Runs a commit that says what the records are after it; who asks for them meanwhile waits instead of reading them. */
  protected async keepingRecords(commit: () => Promise<VersionedRecords>): Promise<void> {
    const committing = commit();
    this.#committing = committing.catch(() => undefined);
    try {
      this.#files = await committing;
    } finally {
      this.#committing = undefined;
    }
  }

  /** What is known of the files is to be read again. */
  protected forgetRecords(): void {
    this.#files = undefined;
  }

  async version(): Promise<string> {
    return `${this.name}@${await this.table.version()}`;
  }

  async #vectors(scope: Scope, where: string): Promise<VectorBlock> {
    const { column, dimension } = this.spaces[scope];
    return decodeVectors(await this.table.select('vectors', where, ['id', 'path', column]), column, dimension);
  }

  async #predicate(filters: SearchFilters): Promise<string | undefined> {
    const files = await this.files();
    return filterPredicate(filters, () => files.keys());
  }
}

/** Halves round each component by up to 2⁻¹¹ of itself. */
function isUnitLength(vector: Float32Array): boolean {
  const squares = vector.reduce((sum, value) => sum + value * value, 0);
  return Math.abs(squares - 1) < 0.01;
}
