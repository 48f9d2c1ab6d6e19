import { rmSync } from 'node:fs';
import path from 'node:path';
import { drawWorkload, realWorkloads } from '../src/cli/bench/workloads.ts';
import { EmbeddingModel } from '../src/embedder/embeddingModel.ts';
import { BUNDLED_MODEL } from '../src/protocol/embedder.ts';
import { makeSourceTree } from './sourceTree.ts';

const SEED = 11;
/** Files of installed packages that chunks are cut from. */
const TREE_FILES = 400;

/** Lengths of so many texts of a workload of this name, drawn or of real chunks, cut at `cap` tokens. Throws when there is none of this name. */
export async function textLengths(name: string, count: number, cap: number): Promise<readonly number[]> {
  const drawn = drawWorkload(name, count, cap, SEED);
  if (drawn !== undefined) return drawn.lengths;
  const bundled = path.join(import.meta.dirname, '../models', BUNDLED_MODEL);
  const tokenizer = await EmbeddingModel.open(bundled, { device: 'cpu', threads: 1 });
  const tree = makeSourceTree(TREE_FILES);
  try {
    const countTokens = (text: string): number => Math.max(1, Math.min(cap, tokenizer.countTokens(text)));
    const real = (await realWorkloads(tree, count, countTokens, undefined)).find((workload) => workload.name === name);
    if (real === undefined) throw new Error(`There is no workload ${name}.`);
    return real.lengths;
  } finally {
    await tokenizer.release();
    rmSync(tree, { recursive: true, force: true });
  }
}
