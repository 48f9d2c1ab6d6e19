import { Parser, type Language, type Tree } from 'web-tree-sitter';
import { parseBudgetMs } from './parseBudget.ts';

/** Parsers kept; more languages than this at once make and delete parsers, which costs microseconds. */
const MAX_PARSERS = 8;
/**
 * The parser reports a step every hundred operations. Real files take 2 to 20 steps per 1,000 characters (12,642 files of
 * 24 languages, none past these limits); a file past them is fighting the grammar and is cut by lines instead. Steps, unlike
 * time, make the same cut on every machine.
 */
const STEPS_PER_CHARACTER = 0.04;
const STEPS_FREE = 2000;
/** A step takes microseconds. One that takes longer than this counts as this: the machine may have been asleep. The thread is watched from outside, too. */
const LONGEST_STEP_MS = 1000;

/** Parses texts with one parser per grammar. */
export class SyntaxParser {
  /** In the order of their last use. */
  readonly #parsers = new Map<Language, Parser>();

  /**
   * The tree, which the caller deletes; undefined when parsing took too long. Throws when the grammar failed
   * (out of memory, an assertion): then the whole runtime is lost and its thread must end.
   */
  parse(language: Language, text: string): Tree | undefined {
    const parser = this.#take(language);
    const maxSteps = STEPS_FREE + text.length * STEPS_PER_CHARACTER;
    const isLate = lateness(parseBudgetMs(text.length));
    let steps = 0;
    const tree = parser.parse(text, null, {
      progressCallback: () => ++steps > maxSteps || isLate(),
    });
    if (tree !== null) return tree;
    parser.reset();
    return undefined;
  }

  #take(language: Language): Parser {
    const parser = this.#parsers.get(language) ?? new Parser().setLanguage(language);
    this.#parsers.delete(language);
    this.#parsers.set(language, parser);
    const oldest = this.#parsers.entries().next().value;
    if (this.#parsers.size > MAX_PARSERS && oldest !== undefined) {
      this.#parsers.delete(oldest[0]);
      oldest[1].delete();
    }
    return parser;
  }
}

/** Asked now and then: whether the time between the questions, each a second at the most, comes to more than `budgetMs`. */
export function lateness(budgetMs: number, now: () => number = () => performance.now()): () => boolean {
  let lastMs = now();
  let spentMs = 0;
  return () => {
    const nowMs = now();
    spentMs += Math.min(nowMs - lastMs, LONGEST_STEP_MS);
    lastMs = nowMs;
    return spentMs > budgetMs;
  };
}
