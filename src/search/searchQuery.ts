import { NO_FILTERS } from '../protocol/hit.ts';
import { type FilteredQuery, type LanguageResolver, parseFilters } from './queryFilters.ts';
import { type QueryTerms, analyzeTerms } from './queryTerms.ts';

/** A place named in the query: `src/app.ts:120`, a frame of a stack trace. */
export interface QueryLocation {
  /** As written; compared with the end of a path. */
  readonly path: string;
  readonly line: number;
}

export type QueryKind =
  'symbol' | 'qualified-symbol' | 'signature' | 'location' | 'stack-trace' | 'error-message' | 'text';

/** A query, understood. */
export interface SearchQuery extends FilteredQuery, QueryTerms {
  readonly kind: QueryKind;
  readonly locations: readonly QueryLocation[];
}

/** `path.ext:12`, `path.ext(12,3)`, `File "path.ext", line 12`, `path.ext line 12`. */
const LOCATION = /([\w@~.\-/\\]+\.\w{1,8})(?:["']?,? line |:|\()(\d+)/g;
/** Frames below are of the runtime and of everybody's main function. */
const MAX_LOCATIONS = 20;
const FRAME = /^\s*(?:at .+[:(]\d+|File ".+", line \d+|from .+:\d+|#\d+ .+|\d+: .+)/m;
const ERROR =
  /\b(?:\w*(?:Error|Exception)|error|panicked|fatal|Traceback|undefined reference|segmentation fault)\b\s*[:(]|\bpanicked at\b|\bcannot\b|\bis not a(?:n)? \b/;

/** What is pasted whole is known by its beginning; some of the patterns here take time that grows with the square of a text's length. */
const MAX_CHARACTERS = 10_000;

const NOTHING_FILTERED = { filters: NO_FILTERS, phrases: [], withoutWords: [], symbols: [] } as const;

/** @throws TesseraError `invalid-argument` when a filter in the query cannot be understood. */
export function parseQuery(asked: string, resolveLanguage: LanguageResolver): SearchQuery {
  // A character that is cut in two is none.
  const query = asked.slice(0, MAX_CHARACTERS).toWellFormed();
  // What is pasted from a terminal means its quotes and dashes literally.
  const isPasted = query.trim().includes('\n') || FRAME.test(query);
  const filtered = isPasted ? { ...NOTHING_FILTERED, text: query } : parseFilters(query, resolveLanguage);
  const locations = locationsIn(filtered.text);
  const kind = kindOf(filtered.text, locations.length);
  // Line numbers and memory addresses of a trace match nothing but by chance.
  const words = locations.length === 0 ? filtered.text : withoutNumbers(filtered.text);
  return { ...filtered, ...analyzeTerms(words), kind, locations };
}

function locationsIn(text: string): QueryLocation[] {
  return [...text.matchAll(LOCATION)].slice(0, MAX_LOCATIONS).map(([, path = '', line]) => ({
    path: path.replaceAll('\\', '/').replace(/^(?:\.{0,2}\/)+/, ''),
    line: Number(line),
  }));
}

function withoutNumbers(text: string): string {
  return text.replace(/\b(?:0x[\da-fA-F]+|\d+)\b/g, ' ');
}

function kindOf(text: string, locationCount: number): QueryKind {
  const trimmed = text.trim();
  if (locationCount > 1 || (locationCount === 1 && FRAME.test(trimmed))) return 'stack-trace';
  if (locationCount === 1 && /^\S+(?: line \d+)?$/.test(trimmed)) return 'location';
  if (/^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(trimmed)) return 'symbol';
  if (/^[\p{L}_$][\p{L}\p{N}_$]*(?:(?:\.|::|#|->|\/|\\)[\p{L}_$][\p{L}\p{N}_$]*)+(?:\(\))?$/u.test(trimmed))
    return 'qualified-symbol';
  if (ERROR.test(trimmed)) return 'error-message';
  if (/^[^.?!]*[\p{L}\p{N}_$]+\([^)]*\)?[^.?!]*$/u.test(trimmed) && trimmed.split(/\s+/).length < 15)
    return 'signature';
  return 'text';
}
