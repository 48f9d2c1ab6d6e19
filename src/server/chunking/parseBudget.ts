const FREE_MS = 20_000;
const MS_PER_CHARACTER = 0.1;

/**
 * The longest a text of this many characters may be parsed, in milliseconds: the last resort where single steps of the parser
 * take long. What it ends is cut by lines until the file changes, so a slow or busy machine must not come near it: the slowest
 * real file (Swift, 30,000 characters) took 0.6 s on a busy one, and a process of low priority may get a fortieth of a processor.
 */
export function parseBudgetMs(characters: number): number {
  return FREE_MS + characters * MS_PER_CHARACTER;
}
