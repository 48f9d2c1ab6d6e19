/** A repeatable source of chance (mulberry32). */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number from 0 up to, but not including, `below`. */
  roll(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.roll(items.length)]!;
  }
}

const STRAY = [
  '',
  '',
  '   \t',
  '}',
  '{',
  ')',
  'end',
  '/* open',
  '*/',
  '"""',
  '# heading',
  '// note',
  '-- note',
  '@decorator',
  '```',
  '===',
  '---',
  'x'.repeat(400),
  '日本語 🙂 naïve ﬁ',
  '\u2028\u0000\ufeff',
  'let a = ((((((((((((',
  '<a><b></a>',
];
const ENDS = ['\n', '\n', '\n', '\r\n', '\r'];

/** Lines of real code in random order and depth among stray ones, with line ends of all kinds. */
export function randomDocument(dice: Dice, realText: string): string {
  const real = realText.split('\n');
  const ends = dice.roll(2) === 0 ? ['\n'] : ENDS;
  const count = dice.roll(120);
  let text = '';
  let at = 0;
  for (let line = 0; line < count; line++) {
    const kind = dice.roll(10);
    // Runs of real lines, so that whole definitions occur as well as broken ones.
    if (kind < 6) text += real[at++ % real.length]!;
    else if (kind < 8) text += ' '.repeat(dice.roll(12)) + dice.pick(real);
    else text += dice.pick(STRAY);
    if (dice.roll(12) === 0) at = dice.roll(real.length);
    text += dice.pick(ends);
  }
  return dice.roll(2) === 0 ? text : text.replace(/[\r\n]+$/, '');
}
