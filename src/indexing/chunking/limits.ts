import type { ChunkLimits } from '../document.ts';

/** Room for the header and the two marks around it within a model's 512 tokens. */
export const DEFAULT_CHUNK_LIMITS: ChunkLimits = { targetTokens: 350, maxTokens: 480, overlapLines: 0 };
