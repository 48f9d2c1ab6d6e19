import { forEachToken, splitIdentifier } from './identifierTokens.ts';
import { stem } from './stemming.ts';

/** Words that questions are built of and that say nothing about code. */
const STOP_WORDS: ReadonlySet<string> = new Set(
  (
    'a an the and or of to in on for with by from is are was were be been it its this that these those how what where ' +
    'when which who why do does did can could should would i we you they as at into not no if then than via using use ' +
    'used uses there their has have had get gets'
  ).split(' '),
);

/** A pasted file is no question: its beginning says what it is about. */
const MAX_WORDS = 200;

/** What is to be done, as a task or a commit says it; rare in code, so that its rarity would outweigh what is meant. */
const TASK_WORDS: ReadonlySet<string> = new Set(
  (
    'fix fixes fixed fixing add adds added adding remove removes removed removing make makes allow allows support ' +
    'supports avoid avoids improve improves improved change changes changed ensure ensures implement implements ' +
    'introduce rename renamed refactor cleanup correct correctly properly instead missing better issue bug problem ' +
    'should dont don t wrong when only also now more new'
  ).split(' '),
);
/** Against 1 on the dev split: commit subjects that name no file +.002, others +.001 to .003, annotations ±0. */
const TASK_WEIGHT = 0.3;

/** Weight of two neighbouring words read as one name (`parse config` → `parseconfig`); 0 and 1 measured .001 to .003 worse. */
const JOINED_WEIGHT = 0.5;

/** `router: …`, `io/http: …`, `[router] …`, and what is in the brackets of a conventional commit's `fix(router): …`; not `TypeError: …`. */
const LEAD =
  /^\s*(?!\w*(?:error|exception|warning|fatal)\b)(?:(?:feat|fix|perf|refactor|chore|docs|test|style|build|ci)\(([^)]+)\)!?:|\[([^\]]+)\]:?|([\p{L}\p{N}_\-./ ,*]+?):)\s/iu;
const MAX_LEAD_WORDS = 3;

export interface QueryTerm {
  readonly token: string;
  readonly weight: number;
}

/** What a query's words mean to the ranking. */
export interface QueryTerms {
  /** For full text, without repetitions. */
  readonly terms: readonly QueryTerm[];
  /** The words themselves among the terms, without their pieces and without joined neighbours. */
  readonly words: readonly QueryTerm[];
  /** Those of `words` that are written as code writes names, or stand in backticks. */
  readonly written: readonly QueryTerm[];
  /** Words and pieces of identifiers, stemmed: compared with the pieces of file, folder and definition names. */
  readonly pieces: readonly QueryTerm[];
  /** Pieces of the part of the code that the query begins with, stemmed: `http: …`, `fix(http): …`, `[http] …`; empty when there is none. */
  readonly lead: ReadonlySet<string>;
  /** Names without case and separators the query may mean as a whole, with how likely it does, 0 to 1. */
  readonly names: ReadonlyMap<string, number>;
}

const WORD = /[\p{L}\p{N}_$]+/gu;
/** A name beyond doubt: no word of a sentence looks like this (`utf8` and `IPv6` are in many). */
const WRITTEN_NAME = /\p{Ll}\p{Lu}|_|^\p{Lu}\p{Ll}+\p{Lu}|\$/u;
/** `fooBar`, `foo_bar`, `FooBar`, `utf8`: written as code writes names. */
const IDENTIFIER = /\p{Ll}\p{Lu}|_|^\p{Lu}\p{Ll}+\p{Lu}|\p{N}|\$/u;

export function analyzeTerms(text: string): QueryTerms {
  const { first, used } = usedWords(text);

  const terms = new Map<string, number>();
  const whole = new Map<string, number>();
  const written = new Map<string, number>();
  const pieces = new Map<string, number>();
  for (const { word, isQuoted: quoted } of used) {
    const isWritten = quoted || WRITTEN_NAME.test(word);
    const weight = TASK_WORDS.has(word.toLowerCase()) ? TASK_WEIGHT : 1;
    let isWhole = true;
    forEachToken(word, (token) => {
      terms.set(token, Math.max(weight, terms.get(token) ?? 0));
      // An identifier itself comes before its pieces.
      if (isWhole) {
        whole.set(token, Math.max(weight, whole.get(token) ?? 0));
        if (isWritten) written.set(token, Math.max(weight, written.get(token) ?? 0));
      }
      isWhole = false;
    });
    for (const piece of splitIdentifier(word)) {
      if (piece.length > 1 || used.length === 1)
        pieces.set(stem(piece), Math.max(weight, pieces.get(stem(piece)) ?? 0));
    }
  }

  const names = new Map<string, number>();
  used.forEach(({ word, isCalled, isMarked: marked }, index) => {
    const isFirst = first?.word === word;
    const capital = /^\p{Lu}/u.test(word) && !isFirst;
    const likelihood = used.length === 1 || isCalled || marked || IDENTIFIER.test(word) ? 1 : capital ? 0.7 : 0.35;
    raise(names, collapseName(word), likelihood);
    const second = used[index + 1]?.word;
    if (second === undefined) return;
    const pair = collapseName(word + second);
    raise(names, pair, 0.8);
    const token = stem(pair);
    if (!terms.has(token)) terms.set(token, JOINED_WEIGHT);
    const third = used[index + 2]?.word;
    if (third !== undefined) raise(names, collapseName(word + second + third), 0.9);
  });
  return {
    terms: [...terms].map(([token, weight]) => ({ token, weight })),
    words: [...whole].map(([token, weight]) => ({ token, weight })),
    written: [...written].map(([token, weight]) => ({ token, weight })),
    pieces: [...pieces].map(([token, weight]) => ({ token, weight })),
    names,
    lead: leadOf(text),
  };
}

interface QueryWord {
  readonly word: string;
  readonly isCalled: boolean;
  readonly isMarked: boolean;
  /** Between two backticks. */
  readonly isQuoted: boolean;
}

/** The first word and the `MAX_WORDS` first ones that say something, or the `MAX_WORDS` first ones where none does. Reads a text once, not to its end. */
function usedWords(text: string): { readonly first: QueryWord | undefined; readonly used: readonly QueryWord[] } {
  const words: QueryWord[] = [];
  const telling: QueryWord[] = [];
  const begin = text.search(/\S/);
  const lastBacktick = text.lastIndexOf('`');
  let isOpen = false;
  let readTo = 0;
  for (const { 0: word, index } of text.matchAll(WORD)) {
    for (; readTo < index; readTo++) if (text.charAt(readTo) === '`') isOpen = !isOpen;
    const end = index + word.length;
    const found = {
      word,
      isCalled: text.charAt(end) === '(',
      isMarked: isMarked(text, index, end, begin),
      isQuoted: isOpen && lastBacktick >= index,
    };
    if (words.length < MAX_WORDS) words.push(found);
    if (!STOP_WORDS.has(word.toLowerCase())) telling.push(found);
    if (telling.length === MAX_WORDS) break;
  }
  return { first: words[0], used: telling.length > 0 ? telling : words };
}

function leadOf(text: string): ReadonlySet<string> {
  const found = LEAD.exec(text);
  const lead = found?.[1] ?? found?.[2] ?? found?.[3] ?? '';
  // More words are a sentence with a colon in it.
  if (lead.trim().split(/\s+/).length > MAX_LEAD_WORDS) return new Set();
  return new Set(namePieces(lead).filter((piece) => piece.length > 1));
}

/** Whether a word is set off as a name: in backticks, or in front of a colon at the beginning (`http: …`); `begin` is where the text's first word or sign is. */
function isMarked(text: string, start: number, end: number, begin: number): boolean {
  if (text.charAt(start - 1) === '`' || text.charAt(end) === '`') return true;
  return start === begin && /^:\s/.test(text.slice(end, end + 2));
}

/** A name without case and separators. */
export function collapseName(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}

/** The stemmed pieces of all words of a name. */
export function namePieces(name: string): string[] {
  return [...name.matchAll(WORD)].flatMap(([word]) => splitIdentifier(word).map(stem));
}

function raise(names: Map<string, number>, name: string, likelihood: number): void {
  if (name.length > 0 && (names.get(name) ?? 0) < likelihood) names.set(name, likelihood);
}
