import { afterAll, describe, expect, it } from 'vitest';
import { GRAMMARS } from '../../../src/indexing/chunking/grammarTable.ts';
import { PROFILES } from '../../../src/indexing/chunking/profiles/profiles.ts';
import { createChunker } from '../../../src/server/chunking/createChunker.ts';
import { NAMING } from './golden.ts';

const chunker = createChunker({ limits: { targetTokens: 5_000, maxTokens: 10_000, overlapLines: 0 } });
afterAll(() => chunker.dispose());

describe('definitions', () => {
  it.each(NAMING)('are found in $language', async ({ language, text, definitions }) => {
    const chunks = await chunker.chunk({ path: 'src/file', language, scope: 'code', text });
    expect(chunks).toHaveLength(1);
    expect(chunks[0]!.definitions).toEqual(definitions);
  });

  it('are read for every language with a grammar', () => {
    expect(Object.keys(PROFILES).sort()).toEqual(Object.keys(GRAMMARS).sort());
  });
});
