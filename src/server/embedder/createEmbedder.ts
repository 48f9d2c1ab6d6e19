import { availableParallelism } from 'node:os';
import { AdaptiveEmbedder } from './adaptiveEmbedder.ts';
import { DevicesEmbedder } from './devicesEmbedder.ts';
import type { Embedder } from './embedder.ts';
import { EmbedderClient, type EmbedderClientOptions } from './embedderClient.ts';
import { EmbedderPool, sharing } from './embedderPool.ts';

/**
 * The embedder for these settings. ONNX Runtime computes on the thread that calls it, so that sessions or devices side by side
 * are processes side by side: as many as a person asks for, or, without a word, as many as there are graphics processors or as are
 * measured to be worth it.
 */
export function createEmbedder(options: EmbedderClientOptions): Embedder {
  const { sessions, device, devices = [device] } = options.settings;
  const mayBeSeveral = sessions === 0 && (device === 'auto' || device === 'cuda');
  return devices.length > 1 || mayBeSeveral ? new DevicesEmbedder(options, createForDevice) : createForDevice(options);
}

function createForDevice(options: EmbedderClientOptions): Embedder {
  const { sessions, threads, device } = options.settings;
  if (sessions > 1) return new EmbedderPool(sharing(options, sessions));
  const isFree = sessions === 0 && (device === 'cpu' || device === 'auto');
  const hasThreads = (threads > 0 ? threads : availableParallelism()) > 1;
  return isFree && hasThreads ? new AdaptiveEmbedder(options) : new EmbedderClient(options);
}
