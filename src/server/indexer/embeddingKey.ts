import { createHash } from 'node:crypto';
import type { ModelInfo } from '../../protocol/embedder.ts';

/**
 * Key of a document's embedding: the same text under the same model, used the same way, has the same vector wherever and whenever it
 * is met. The model's id stands for weights, pooling and prefixes. 22 characters, 132 bits.
 */
export function embeddingKey(model: Pick<ModelInfo, 'id' | 'dimension'>, text: string): string {
  return createHash('sha256')
    .update(`${model.id}\0document\0${model.dimension}\0`)
    .update(text)
    .digest('base64url')
    .slice(0, 22);
}
