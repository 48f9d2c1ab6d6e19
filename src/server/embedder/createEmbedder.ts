import { availableParallelism } from 'node:os';
import { AdaptiveEmbedder } from './adaptiveEmbedder.ts';
import type { Embedder } from './embedder.ts';
import { EmbedderClient, type EmbedderClientOptions } from './embedderClient.ts';
import { EmbedderPool } from './embedderPool.ts';

/**
 * The embedder for these settings. ONNX Runtime computes on the thread that calls it, so that sessions side by side are
 * processes side by side: as many as a person asks for, or, without a word, as many as are measured to be worth it.
 */
export function createEmbedder(options: EmbedderClientOptions): Embedder {
  const { sessions, threads, device } = options.settings;
  if (sessions > 1) return new EmbedderPool(options);
  const isFree = sessions === 0 && (device === 'cpu' || device === 'auto');
  const hasThreads = (threads > 0 ? threads : availableParallelism()) > 1;
  return isFree && hasThreads ? new AdaptiveEmbedder(options) : new EmbedderClient(options);
}
