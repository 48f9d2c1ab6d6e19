import { availableParallelism } from 'node:os';
import { expect, it } from 'vitest';
import { openBenchModel } from '../../../src/cli/bench/benchModel.ts';
import { buildBagModel } from '../../../src/synthetic/smallModels.ts';
import { writeModelFolder } from '../../fakes/modelFolder.ts';

it.each([
  ['as many as were chosen', 3],
  ['one for a look-up when nobody chose', 0],
] as const)('the bench runs with the threads the product would run with, and tells them: %s', async (_, chosen) => {
  const { model: bag } = buildBagModel({ vocabulary: 100, hidden: 8, seed: 4 });
  const { folder, remove } = await writeModelFolder({ graphs: { 'onnx/model.onnx': bag } });
  const model = await openBenchModel(folder, chosen);
  try {
    expect(model.threads).toBe(chosen > 0 ? chosen : model.isStatic ? 1 : availableParallelism());
  } finally {
    await model.dispose();
    await remove();
  }
});
