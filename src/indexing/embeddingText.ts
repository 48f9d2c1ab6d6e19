import type { Chunk } from './document.ts';

/**
 * What is embedded for a chunk: its text under a short header. The first line is the last two folders and the
 * file's stem, the second the symbol with the scopes around it, where there is one. The bundled model is trained on this form.
 */
export function embeddingText(path: string, chunk: Pick<Chunk, 'text' | 'symbol' | 'enclosing'>): string {
  const parts = path.split('/');
  const name = parts.pop() ?? '';
  const dot = name.lastIndexOf('.');
  const stem = dot > 0 ? name.slice(0, dot) : name;
  const location = [parts.slice(-2).join('/'), stem].filter((part) => part !== '').join(' ');
  const symbol = [...chunk.enclosing, chunk.symbol].filter((part) => part !== '').join('.');
  return symbol === '' ? `${location}\n${chunk.text}` : `${location}\n${symbol}\n${chunk.text}`;
}
