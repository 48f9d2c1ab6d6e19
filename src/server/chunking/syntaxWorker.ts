/**
 * A thread that cuts documents along their syntax trees. Parsing is synchronous and a grammar that fails takes its whole
 * WebAssembly runtime along, so neither happens on the server's own thread. Exit status 0: the thread retired; another may follow.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { errorMessage } from '../../base/errors.ts';
import { chunkLines, tokenSums } from '../../indexing/chunking/chunkLines.ts';
import { readLines } from '../../indexing/chunking/lines.ts';
import { PROFILES } from '../../indexing/chunking/profiles/profiles.ts';
import { readSyntax } from '../../indexing/chunking/syntaxStructure.ts';
import type { Chunk, SourceDocument } from '../../indexing/document.ts';
import { GrammarLoader } from './grammarLoader.ts';
import { SyntaxParser } from './syntaxParser.ts';
import type { SyntaxAnswer, SyntaxJob, SyntaxWorkerData } from './syntaxWorkerProtocol.ts';

/** A memory this large was made so by one strange file; a new thread gives it back. Two dozen grammars take 50 MB. */
const RETIRE_AT_BYTES = 256 * 1024 * 1024;

const { grammarFolder, limits, runtime } = workerData as SyntaxWorkerData;
const port = parentPort;
if (port === null) throw new Error('This file runs as a worker thread.');
const answer = (message: SyntaxAnswer): void => port.postMessage(message);

const grammars = new GrammarLoader({
  folder: grammarFolder,
  runtime,
  onProblem: (grammar, error) => answer({ kind: 'problem', grammar, error }),
});
const parser = new SyntaxParser();

/** undefined: there is no tree to cut along. */
async function cut(document: SourceDocument): Promise<readonly Chunk[] | undefined> {
  const profile = Object.hasOwn(PROFILES, document.language) ? PROFILES[document.language] : undefined;
  const language = await grammars.load(document.language);
  if (profile === undefined || language === undefined) return undefined;
  const tree = parser.parse(language, document.text);
  if (tree === undefined) return undefined;
  const lines = readLines(document.text);
  const sums = tokenSums(lines);
  const structure = readSyntax(tree.rootNode, lines, sums, profile, limits);
  tree.delete();
  return chunkLines(lines, sums, structure, limits);
}

/** One document after the other: loading a grammar is asynchronous, and the time each document takes is watched from outside. */
let work = Promise.resolve();
port.on('message', (job: SyntaxJob) => {
  work = work.then(async () => {
    answer({ kind: 'begun', id: job.id });
    try {
      answer({ kind: 'cut', id: job.id, chunks: await cut(job.document) });
    } catch (error) {
      answer({ kind: 'failed', id: job.id, error: errorMessage(error) });
      process.exit(1);
    }
    if (grammars.memoryBytes > RETIRE_AT_BYTES) process.exit(0);
  });
});
answer({ kind: 'up' });
