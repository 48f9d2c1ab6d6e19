import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { SearchFilters } from '../../protocol/hit.ts';
import { SCOPES, type ScopeFilter } from '../../protocol/scope.ts';
import type { FolderHit, SearchResult } from '../../protocol/server.ts';
import { resolveLanguage } from '../../indexing/languages.ts';
import { errorMessage, isTesseraError } from '../../base/errors.ts';
import { globProblem } from '../../search/globProblem.ts';
import { parseQuery } from '../../search/searchQuery.ts';
import { errorCode } from '../../server/scanner/fileErrors.ts';
import { EXIT } from '../exit.ts';
import { countOption, folderArgument, globalOptions, usageError } from '../globalOptions.ts';
import { answerNotes } from '../answerNotes.ts';
import { hitText, plainHit } from '../hitText.ts';
import { type Session, withSession } from '../session.ts';

interface SearchOptions {
  readonly k: number;
  readonly scope: string;
  readonly path: readonly string[];
  readonly lang: readonly string[];
  readonly queries?: string;
  readonly explain?: boolean;
  readonly json?: boolean;
}

const collect = (value: string, before: readonly string[]) => [...before, value];

export function addSearchCommand(program: Command): void {
  program
    .command('search')
    .description('find code by what it does, in plain words or by name')
    .usage('<query> [dir] [options]\n       tessera search --queries <file.jsonl> [dir] [options]')
    .argument('[query]', 'what to look for; left out with --queries')
    .argument('[dir]', 'the indexed folder (default: this one)')
    .option('-k <count>', 'hits to print', countOption, 10)
    .option('--scope <scope>', 'code, docs or all', 'all')
    .option('--path <glob>', 'only paths that match; may be given again', collect, [])
    .option('--lang <id>', 'only this language; may be given again', collect, [])
    .option('--queries <file>', 'answer every {"id", "query"} line of a file over one open index')
    .option('--explain', 'say which parts of the ranking found each hit')
    .option('--json', 'print JSON')
    .action(async (query: string | undefined, dir: string | undefined, options: SearchOptions, command: Command) => {
      const filters = filtersOf(options);
      const { queries } = options;
      if (queries !== undefined && dir !== undefined) throw usageError('Give either a query or --queries, not both.');
      if (queries === undefined) checkQuery(query ?? '');
      const folder = folderArgument(queries === undefined ? dir : query);
      const asked = queries === undefined ? undefined : await readQueries(queries);
      await withSession('tessera search', globalOptions(command), async (session) => {
        await session.openToRead(folder);
        const sayWhatIsMissing = answerNotes();
        const ask = async (text: string) => {
          const { hits, ...answer } = await search(session, folder, text, filters, options);
          sayWhatIsMissing(answer);
          return hits;
        };
        if (asked === undefined) {
          const hits = await ask(query ?? '');
          if (options.json === true) console.log(JSON.stringify({ query, hits: hits.map(plainHit) }));
          else console.log(hits.length === 0 ? 'nothing found' : hits.map(hitText).join('\n\n'));
          return;
        }
        for (const { id, query: text, line } of asked) {
          const results = (await answerOrSay(id, line, () => ask(text))).map(plainHit);
          console.log(JSON.stringify({ id, results }));
        }
      });
    });
}

/** One query of many that cannot be understood has no hits, and the others are still answered. */
async function answerOrSay(id: AskedQuery['id'], line: number, ask: () => Promise<readonly FolderHit[]>) {
  try {
    return await ask();
  } catch (error) {
    if (!isTesseraError(error, 'invalid-argument')) throw error;
    process.stderr.write(`tessera: Line ${line}: The query ${id} has no answer: ${errorMessage(error)}\n`);
    process.exitCode = EXIT.usage;
    return [];
  }
}

/** Filters say where to look, not for what. */
function checkQuery(query: string): void {
  if (query.trim() === '') {
    throw usageError('Say what to search for, such as `tessera search "where are retries handled"`.');
  }
  const { text } = parseQuery(query, resolveLanguage);
  if (text.trim() !== '') return;
  throw usageError(
    `The query ${query.trim()} holds only filters; add a word to look for, such as \`${query.trim()} retry\`.`,
  );
}

async function search(
  { engine, signal }: Session,
  folder: string,
  query: string,
  filters: SearchFilters,
  { k, explain = false }: SearchOptions,
): Promise<SearchResult> {
  checkQuery(query);
  return engine.search({ folders: [folder], query, limit: k, filters, explain }, signal);
}

function filtersOf({ scope, path, lang }: SearchOptions): SearchFilters {
  for (const glob of path) {
    const problem = globProblem(glob);
    if (problem !== undefined) throw usageError(`--path ${glob} is not a glob: ${problem}.`);
  }
  return { scope: scopeOf(scope), include: path, exclude: [], languages: lang.flatMap(languagesOf) };
}

function scopeOf(text: string): ScopeFilter {
  const scope = ([...SCOPES, 'all'] as const).find((known) => known === text);
  if (scope === undefined) throw usageError(`--scope is code, docs or all, not ${text}.`);
  return scope;
}

function languagesOf(text: string): readonly string[] {
  const languages = resolveLanguage(text);
  if (languages === undefined) throw usageError(`--lang ${text} is no language Tessera knows; try its VS Code id.`);
  return languages;
}

interface AskedQuery {
  readonly id: string | number;
  readonly query: string;
}

interface QueryOfFile extends AskedQuery {
  /** From 1. */
  readonly line: number;
}

async function readQueries(file: string): Promise<readonly QueryOfFile[]> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw usageError(`--queries ${file} cannot be read (${errorCode(error)}).`);
  });
  // Windows' editors begin a file with a byte order mark.
  return text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .flatMap((line, index) => {
      if (line.trim() === '') return [];
      const asked = parseJson(line);
      if (!isAskedQuery(asked)) {
        throw usageError(`Line ${index + 1} of ${file} is not a JSON object with "id" and "query".`);
      }
      return [{ ...asked, line: index + 1 }];
    });
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function isAskedQuery(value: unknown): value is AskedQuery {
  return (
    typeof value === 'object' &&
    value !== null &&
    'id' in value &&
    (typeof value.id === 'string' || typeof value.id === 'number') &&
    'query' in value &&
    typeof value.query === 'string'
  );
}
