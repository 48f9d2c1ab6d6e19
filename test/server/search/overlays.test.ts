import { expect, it } from 'vitest';
import { TesseraError } from '../../../src/base/errors.ts';
import { SILENT_LOGGER } from '../../../src/base/logger.ts';
import { ChunkIndex } from '../../../src/search/chunkIndex.ts';
import { createChunker } from '../../../src/server/chunking/createChunker.ts';
import { Overlays } from '../../../src/server/search/overlays.ts';
import { HashEmbedder } from '../../fakes/hashEmbedder.ts';

const UNSAVED = { folder: '/work', path: 'a.ts', text: 'export function brandNew() {}\n' };

it('an unsaved text keeps its words when the embedder fails, and has vectors again when it is back', async () => {
  const embedder = new HashEmbedder();
  const embed = embedder.embed.bind(embedder);
  embedder.embed = () => Promise.reject(new TesseraError('process-exited', 'The embedder has gone.'));
  const overlays = new Overlays(createChunker(), embedder, SILENT_LOGGER);
  const index = new ChunkIndex({ dimensions: { code: 16, docs: 16 }, hasOneSpace: true });
  const { texts, segments } = await overlays.overlay(UNSAVED, index, undefined);
  expect([...texts.values()].join()).toContain('brandNew');
  expect(segments).toHaveLength(1);
  embedder.embed = embed;
  await overlays.overlay(UNSAVED, index, undefined);
  expect(embedder.texts).toHaveLength(1);
});

it('a search that is cancelled while an unsaved text is embedded ends as cancelled', async () => {
  const overlays = new Overlays(createChunker(), new HashEmbedder(), SILENT_LOGGER);
  const index = new ChunkIndex({ dimensions: { code: 16, docs: 16 }, hasOneSpace: true });
  const asked = overlays.overlay(UNSAVED, index, AbortSignal.abort());
  await expect(asked).rejects.toMatchObject({ code: 'cancelled' });
});
