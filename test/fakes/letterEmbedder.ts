import type { ModelInfo, TokenVectors, TokenVectorsParams } from '../../src/protocol/embedder.ts';
import type { Scope } from '../../src/protocol/scope.ts';
import { HashEmbedder } from './hashEmbedder.ts';

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';

/** A multi-vector model of code whose tokens are letters, each at right angles to every other. */
export class LetterEmbedder extends HashEmbedder {
  readonly askedForTokens: TokenVectorsParams[] = [];

  override async open(): Promise<Readonly<Record<Scope, ModelInfo>>> {
    const { code, docs } = await super.open();
    return { code: { ...code, multiVector: true }, docs };
  }

  override embedTokens(params: TokenVectorsParams): Promise<TokenVectors> {
    this.askedForTokens.push(params);
    const tokens = params.texts.map((text) => Array.from(text.toLowerCase()).filter((char) => LETTERS.includes(char)));
    const vectors = Float32Array.from(
      tokens.flat().flatMap((token) => Array.from(LETTERS, (letter) => Number(letter === token))),
    );
    const tokenCounts = Uint32Array.from(tokens, ({ length }) => length);
    return Promise.resolve({ vectors, dimension: LETTERS.length, tokenCounts });
  }
}
