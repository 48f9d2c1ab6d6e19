import type { TokenIds } from './textTokenizer.ts';

/** What a graph is fed with of one text. The length of `ids` is the text's length in a run. */
export interface TextInput {
  /** The text's tokens in order; for a graph that wants counts each token once, by where it comes first. */
  readonly ids: Int32Array;
  /** How often each of `ids` is in the text; empty for a graph that does not ask. */
  readonly counts: Int32Array;
  /** The place, from 0, at which each of `ids` is first in the text; empty for a graph that does not ask. */
  readonly firsts: Int32Array;
}

const NONE = new Int32Array(0);

/** The text as it is, for a graph that reads all of it. */
export function wholeText(ids: TokenIds): TextInput {
  return { ids, counts: NONE, firsts: NONE };
}

/** Counts the tokens of texts: a bag of words needs each of them once, and a text of code has about a third as many of its own as it has tokens. */
export class TokenCounter {
  /** By token: the number of the text it was last met in, and its place among that text's own tokens. */
  #lastText = new Int32Array(1 << 15);
  #places = new Int32Array(1 << 15);
  #text = 0;
  /** What is found in a text, as it is found: tokens, counts and first places. Its own memory is what is kept of it while it waits. */
  #found = { ids: NONE, counts: NONE, firsts: NONE };

  count(ids: TokenIds): TextInput {
    this.#text = this.#nextText(ids);
    if (this.#found.ids.length < ids.length) {
      const room = (): Int32Array<ArrayBuffer> => new Int32Array(2 * ids.length);
      this.#found = { ids: room(), counts: room(), firsts: room() };
    }
    const { ids: own, counts, firsts } = this.#found;
    const lastText = this.#lastText;
    const places = this.#places;
    let length = 0;
    for (let position = 0; position < ids.length; position++) {
      const id = ids[position] ?? 0;
      if (lastText[id] === this.#text) {
        const place = places[id] ?? 0;
        counts[place] = (counts[place] ?? 0) + 1;
        continue;
      }
      lastText[id] = this.#text;
      places[id] = length;
      own[length] = id;
      counts[length] = 1;
      firsts[length] = position;
      length++;
    }
    return { ids: own.slice(0, length), counts: counts.slice(0, length), firsts: firsts.slice(0, length) };
  }

  /** Makes room for the largest id; numbers start again before they pass what an array of 32 bits holds. */
  #nextText(ids: TokenIds): number {
    const greatest = ids.reduce((most, id) => Math.max(most, id), 0);
    const isFull = this.#text === 0x7fffffff;
    if (greatest < this.#lastText.length && !isFull) return this.#text + 1;
    const size = Math.max(greatest + 1, this.#lastText.length * (isFull ? 1 : 2));
    this.#lastText = new Int32Array(size);
    this.#places = new Int32Array(size);
    return 1;
  }
}
