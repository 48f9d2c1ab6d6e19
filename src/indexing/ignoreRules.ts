import { toByteString, wildmatch } from './wildmatch.ts';

/** What one ignore file says about a path; `undefined` when it says nothing. */
export type IgnoreRuling = 'ignored' | 'included' | undefined;

interface Rule {
  readonly pattern: string;
  readonly negated: boolean;
  readonly folderOnly: boolean;
  /** Without a slash inside, a pattern is about the last part of the path, at any depth. */
  readonly nameOnly: boolean;
  /** What stands before the first wildcard. Git compares it apart from the rest, which `foo**\/bar` can tell. */
  readonly literal: string;
  /** `*.log`: everything after the one star, at the start, is literal. */
  readonly suffix: string | undefined;
}

interface NameRules {
  /** Highest index of the rules for exactly this name, or -1. */
  any: number;
  folder: number;
}

/**
 * The rules of one `.gitignore`-like file. The last rule that matches wins, as in git; parents of a path are the caller's
 * business (a folder that is ignored is not entered).
 */
export class IgnoreRules {
  readonly #rules: readonly Rule[];
  /** Rules that are a plain name, found by one look-up however many there are. */
  readonly #byName = new Map<string, NameRules>();
  /** Indexes of all other rules, highest first. */
  readonly #others: readonly number[];
  readonly #ignoreCase: boolean;

  constructor(text: string, options: { readonly ignoreCase: boolean }) {
    this.#ignoreCase = options.ignoreCase;
    this.#rules = parseRules(options.ignoreCase ? toLowerAscii(toByteString(text)) : toByteString(text));
    const others: number[] = [];
    this.#rules.forEach((rule, index) => {
      if (!rule.nameOnly || rule.literal.length < rule.pattern.length) {
        others.push(index);
        return;
      }
      const known = this.#byName.get(rule.pattern) ?? { any: -1, folder: -1 };
      known[rule.folderOnly ? 'folder' : 'any'] = index;
      this.#byName.set(rule.pattern, known);
    });
    this.#others = others.reverse();
  }

  get isEmpty(): boolean {
    return this.#rules.length === 0;
  }

  /** `path` is relative to the folder of the ignore file, with `/`, without one at the end. */
  rule(path: string, isFolder: boolean): IgnoreRuling {
    const bytes = toByteString(path);
    const text = this.#ignoreCase ? toLowerAscii(bytes) : bytes;
    const nameStart = text.lastIndexOf('/') + 1;
    const named = this.#byName.size === 0 ? undefined : this.#byName.get(text.slice(nameStart));
    let best = named === undefined ? -1 : isFolder ? Math.max(named.any, named.folder) : named.any;
    for (const index of this.#others) {
      if (index < best) break;
      const rule = this.#rules[index];
      if (rule !== undefined && (isFolder || !rule.folderOnly) && matches(rule, text, nameStart)) {
        best = index;
        break;
      }
    }
    const winner = this.#rules[best];
    return winner === undefined ? undefined : winner.negated ? 'included' : 'ignored';
  }
}

function matches(rule: Rule, text: string, nameStart: number): boolean {
  if (rule.nameOnly) {
    if (rule.suffix !== undefined) return text.length - nameStart >= rule.suffix.length && text.endsWith(rule.suffix);
    return wildmatch(rule.pattern, 0, text, nameStart, false);
  }
  const { pattern, literal } = rule;
  if (!text.startsWith(literal)) return false;
  if (literal.length === pattern.length) return text.length === literal.length;
  // The rest is a pattern of its own, so a `**` right after the literal part counts as one at the start.
  return wildmatch(pattern, literal.length, text, literal.length, true);
}

function parseRules(text: string): Rule[] {
  const rules: Rule[] = [];
  for (const line of text.replace(/^\u00ef\u00bb\u00bf/, '').split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const rule = parseRule(trimTrailingSpaces(line.endsWith('\r') ? line.slice(0, -1) : line));
    if (rule !== undefined) rules.push(rule);
  }
  return rules;
}

function parseRule(line: string): Rule | undefined {
  const negated = line.startsWith('!');
  let pattern = negated ? line.slice(1) : line;
  const folderOnly = pattern.endsWith('/');
  if (folderOnly) pattern = pattern.slice(0, -1);
  const nameOnly = !pattern.includes('/');
  if (pattern.startsWith('/')) pattern = pattern.slice(1);
  if (pattern === '') return undefined;
  const wildcard = pattern.search(WILDCARD);
  const suffix = pattern.startsWith('*') && !WILDCARD.test(pattern.slice(1)) ? pattern.slice(1) : undefined;
  return {
    pattern,
    negated,
    folderOnly,
    nameOnly,
    literal: wildcard === -1 ? pattern : pattern.slice(0, wildcard),
    suffix,
  };
}

const WILDCARD = /[*?[\\]/;

/** Drops spaces (no tabs) at the end unless a backslash quotes them. */
function trimTrailingSpaces(line: string): string {
  let end = 0;
  for (let index = 0; index < line.length; index++) {
    if (line[index] === '\\') {
      if (index + 1 === line.length) return line;
      index++;
      end = index + 1;
    } else if (line[index] !== ' ') {
      end = index + 1;
    }
  }
  return line.slice(0, end);
}

function toLowerAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (capitals) => capitals.toLowerCase());
}
