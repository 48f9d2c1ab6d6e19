const FREE_MS = 2000;
const MS_PER_CHARACTER = 0.01;

/**
 * The longest a text of this many characters may be parsed, in milliseconds: the last resort where single steps of the parser
 * take long. The slowest real file (Swift, 30,000 characters) took 0.6 s on a busy machine.
 */
export function parseBudgetMs(characters: number): number {
  return FREE_MS + characters * MS_PER_CHARACTER;
}
