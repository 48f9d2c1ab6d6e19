/**
 * How the chunker cuts real folders: line coverage, duplicated lines, chunk sizes, speed, and resident memory over thousands of parses.
 * `node bench/coverage.ts FOLDER… [--json] [--parses 5000] [--target 350] [--max 480]`. Ends with status 1 when a line is missing or doubled.
 */
import { parseArgs } from 'node:util';
import { DEFAULT_CHUNK_LIMITS } from '../src/indexing/chunking/limits.ts';
import { readLines } from '../src/indexing/chunking/lines.ts';
import type { Chunk, SourceDocument } from '../src/indexing/document.ts';
import { createChunker } from '../src/server/chunking/createChunker.ts';
import { readSource } from '../src/server/scanner/readSource.ts';
import { scanFolder } from '../src/server/scanner/scanFolder.ts';

const MAX_FILE_BYTES = 1_000_000;
const RSS_EVERY = 500;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    parses: { type: 'string', default: '5000' },
    target: { type: 'string', default: String(DEFAULT_CHUNK_LIMITS.targetTokens) },
    max: { type: 'string', default: String(DEFAULT_CHUNK_LIMITS.maxTokens) },
  },
});
const limits = { targetTokens: Number(values.target), maxTokens: Number(values.max), overlapLines: 0 };
const wantedParses = Number(values.parses);

interface Tally {
  files: number;
  lines: number;
  /** Lines in exactly one chunk. */
  covered: number;
  duplicated: number;
  chunks: number;
  characters: number;
  milliseconds: number;
  definitions: number;
  /** Chunks larger than the limit that are not a single line. */
  oversize: number;
  slowestMs: number;
  slowestPath: string;
  readonly sizes: number[];
}

const tallies = new Map<string, Tally>();
const documents: SourceDocument[] = [];

for (const folder of positionals) {
  for await (const entry of scanFolder(folder, { maxFileBytes: MAX_FILE_BYTES, exclude: [], useIgnoreFiles: true })) {
    if (entry.kind !== 'file') continue;
    const outcome = await readSource(folder, entry.path, { maxFileBytes: MAX_FILE_BYTES });
    if (outcome.kind === 'document') documents.push(outcome.document);
  }
}

const chunker = createChunker({ limits });
const rssMb: { parses: number; mb: number }[] = [];
let parses = 0;

async function chunkOne(document: SourceDocument): Promise<{ chunks: readonly Chunk[]; ms: number }> {
  const start = performance.now();
  const chunks = await chunker.chunk(document);
  const ms = performance.now() - start;
  if (++parses % RSS_EVERY === 0) rssMb.push({ parses, mb: Math.round(process.memoryUsage.rss() / 1e6) });
  return { chunks, ms };
}

function tally(document: SourceDocument, chunks: readonly Chunk[], ms: number): void {
  const key = document.scope === 'docs' ? `${document.language} (docs)` : document.language;
  const into = tallies.get(key) ?? newTally();
  tallies.set(key, into);
  const { count } = readLines(document.text);
  const seen = new Uint8Array(count + 1);
  for (const chunk of chunks) {
    for (let line = chunk.startLine; line <= chunk.endLine; line++) seen[line] = (seen[line] ?? 0) + 1;
    into.sizes.push(chunk.tokens);
    into.definitions += chunk.definitions.length;
    if (chunk.tokens > limits.maxTokens && chunk.endLine > chunk.startLine) into.oversize++;
  }
  into.files++;
  into.lines += count;
  into.covered += seen.filter((times) => times === 1).length;
  into.duplicated += seen.filter((times) => times > 1).length;
  into.chunks += chunks.length;
  into.characters += document.text.length;
  into.milliseconds += ms;
  if (ms > into.slowestMs) Object.assign(into, { slowestMs: ms, slowestPath: document.path });
}

function newTally(): Tally {
  return {
    files: 0,
    lines: 0,
    covered: 0,
    duplicated: 0,
    chunks: 0,
    characters: 0,
    milliseconds: 0,
    definitions: 0,
    oversize: 0,
    slowestMs: 0,
    slowestPath: '',
    sizes: [],
  };
}

function summaryOf(language: string, t: Tally): Readonly<Record<string, string | number>> {
  const sorted = t.sizes.toSorted((a, b) => a - b);
  const quantile = (q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0;
  const seconds = t.milliseconds / 1000;
  return {
    language,
    files: t.files,
    lines: t.lines,
    'covered %': percent(t.covered, t.lines),
    'duplicated %': percent(t.duplicated, t.lines),
    chunks: t.chunks,
    'defs/chunk': round(t.definitions / Math.max(1, t.chunks), 2),
    'chunks/s': Math.round(t.chunks / seconds),
    'MB/s': round(t.characters / 1e6 / seconds, 2),
    p10: quantile(0.1),
    p50: quantile(0.5),
    p90: quantile(0.9),
    largest: sorted.at(-1) ?? 0,
    oversize: t.oversize,
    'slowest ms': Math.round(t.slowestMs),
    'slowest file': t.slowestPath,
  };
}

function percent(part: number, whole: number): number {
  return whole === 0 ? 100 : round((100 * part) / whole, 4);
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

for (const document of documents) {
  const { chunks, ms } = await chunkOne(document);
  tally(document, chunks, ms);
}
while (parses < wantedParses && documents.length > 0) {
  for (const document of documents) if (parses < wantedParses) await chunkOne(document);
}
chunker.dispose();

const total = newTally();
for (const t of tallies.values()) {
  for (const key of ['files', 'lines', 'covered', 'duplicated', 'chunks', 'characters', 'milliseconds'] as const)
    total[key] += t[key];
  total.definitions += t.definitions;
  total.oversize += t.oversize;
  if (t.slowestMs > total.slowestMs) Object.assign(total, { slowestMs: t.slowestMs, slowestPath: t.slowestPath });
  for (const size of t.sizes) total.sizes.push(size);
}
const rows = [...tallies].toSorted(([, a], [, b]) => b.lines - a.lines).map(([language, t]) => summaryOf(language, t));
rows.push(summaryOf('all', total));

if (values.json) {
  console.log(JSON.stringify({ limits, languages: rows, rssMb }));
} else {
  console.table(rows.map(({ 'slowest file': _, ...row }) => row));
  console.log(
    `Resident memory (MB) after n chunked files: ${rssMb.map(({ parses: n, mb }) => `${n}: ${mb}`).join(' · ')}`,
  );
}
process.exitCode = total.covered === total.lines && total.duplicated === 0 ? 0 : 1;
