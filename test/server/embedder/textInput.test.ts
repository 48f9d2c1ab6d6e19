import { describe, expect, it } from 'vitest';
import { TokenCounter } from '../../../src/embedder/textInput.ts';
import { SeededRandom } from '../../../src/synthetic/random.ts';

describe('the tokens of a text', () => {
  it('are counted as one would by hand, text after text', () => {
    const random = new SeededRandom(5);
    const counter = new TokenCounter();
    for (let text = 0; text < 200; text++) {
      const ids = Array.from({ length: random.integer(300) }, () => random.integer(1 + random.integer(90)));
      const own = [...new Set(ids)];
      expect(counter.count(Int32Array.from(ids))).toEqual({
        ids: Int32Array.from(own),
        counts: Int32Array.from(own, (id) => ids.filter((other) => other === id).length),
        firsts: Int32Array.from(own, (id) => ids.indexOf(id)),
      });
    }
  });

  it('may have any number, and those of an earlier text do not count', () => {
    const counter = new TokenCounter();
    counter.count(Int32Array.of(7, 7, 8));
    expect(counter.count(Int32Array.of(250_000, 7, 250_000))).toEqual({
      ids: Int32Array.of(250_000, 7),
      counts: Int32Array.of(2, 1),
      firsts: Int32Array.of(0, 1),
    });
    expect(counter.count(Int32Array.of(7)).counts).toEqual(Int32Array.of(1));
    expect(counter.count(new Int32Array(0)).ids).toHaveLength(0);
  });
});
