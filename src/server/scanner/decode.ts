import { isUtf8 } from 'node:buffer';
import { type Encoding, type EncodingGuess, guessEncoding } from '../../indexing/encoding.ts';

export type Decoded =
  | { readonly kind: 'text'; readonly text: string; readonly encoding: Encoding }
  | Exclude<EncodingGuess, { readonly kind: 'text' }>;

/**
 * The text of a file without its byte order mark, line ends as they are. Never fails: what is malformed becomes U+FFFD,
 * so that the text is well-formed Unicode whatever the bytes.
 */
export function decodeText(bytes: Buffer): Decoded {
  const guess = guessEncoding(bytes, isUtf8(bytes));
  if (guess.kind !== 'text') return guess;
  return { kind: 'text', text: decodeAs(bytes, guess.encoding), encoding: guess.encoding };
}

function decodeAs(bytes: Buffer, encoding: Encoding): string {
  switch (encoding) {
    case 'utf8':
      return withoutMark(bytes.toString('utf8'));
    case 'utf16le':
    case 'utf16be':
      return new TextDecoder(encoding === 'utf16le' ? 'utf-16le' : 'utf-16be').decode(bytes);
    case 'windows1252':
      return bytes
        .toString('latin1')
        .replace(/[\x80-\x9f]/g, (byte) => WINDOWS_1252[byte.charCodeAt(0) - 0x80] ?? byte);
  }
}

function withoutMark(text: string): string {
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}

/**
 * Characters of the bytes 0x80 to 0x9f (https://encoding.spec.whatwg.org/#windows-1252). Spelled out because Node's own
 * decoder of that name has read them as Latin-1 in some releases.
 */
const WINDOWS_1252 = Array.from('€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ');
