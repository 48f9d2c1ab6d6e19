import type { ExecutionProvider } from '../protocol/embedder.ts';
import type { BudgetLimits } from './tunerTypes.ts';

/**
 * Where each device starts and how far it may go, in padded tokens per run. For `cpu` measured: throughput peaks at a few
 * hundred tokens and falls as activations leave the caches. The others were not measured on their hardware: a graphics
 * processor wants runs that fill it, and the tuner finds how large from here. The ceilings keep it from sizes whose
 * memory no common device has.
 */
export const DEVICE_LIMITS: Readonly<Record<ExecutionProvider, BudgetLimits>> = {
  cpu: { baseTokens: 512, safeTokens: 512, floorTokens: 64, ceilingTokens: 16_384 },
  webgpu: { baseTokens: 4096, safeTokens: 256, floorTokens: 256, ceilingTokens: 32_768 },
  dml: { baseTokens: 4096, safeTokens: 256, floorTokens: 256, ceilingTokens: 65_536 },
  coreml: { baseTokens: 2048, safeTokens: 256, floorTokens: 256, ceilingTokens: 32_768 },
  cuda: { baseTokens: 16_384, safeTokens: 512, floorTokens: 512, ceilingTokens: 262_144 },
};

/**
 * Static models only look vectors up: a run's overhead weighs more than its work, until what it touches leaves the caches; from there on larger
 * runs are several times slower (measured on a CPU). On the one thread they have, 2,048 tokens were best in three of four sessions on machines of this kind, 1,024 in one.
 * It is also the better size to start from: to try a smaller one costs next to nothing, a larger one may leave the caches cold (`displacementMeter.ts`).
 */
export const STATIC_MODEL_LIMITS: BudgetLimits = {
  baseTokens: 2048,
  safeTokens: 2048,
  floorTokens: 128,
  ceilingTokens: 65_536,
};

/**
 * Those that take each token once with its count (`token_counts`), as the bundled one does, keep little of a run: it is within a fifth of its best
 * from 2,048 tokens to 16,384 (measured on CPUs, one thread). Of 4,096 and 8,192 the larger was up to 6 % better on two kinds of processor for texts of mixed
 * lengths, and as good for code; on a third, without AVX-512, the smaller one seemed better by 3 to 6 %, where the same policy swings by 20 %.
 * Another run costs as much as 200 to 600 tokens do (one by one against 8,192, on two machines), so that runs end where they have more padding than that:
 * short texts were up to 5 % faster by it, none slower by more than 1 %.
 */
const COUNTING_MODEL_LIMITS: BudgetLimits = {
  ...STATIC_MODEL_LIMITS,
  baseTokens: 8192,
  safeTokens: 8192,
  overheadTokens: 320,
};

/** Limits for a model on a device; `isStatic` says that it only looks vectors up. */
export function limitsFor(model: {
  readonly isStatic: boolean;
  readonly countsTokens: boolean;
  readonly device: ExecutionProvider;
}): BudgetLimits {
  if (!model.isStatic) return DEVICE_LIMITS[model.device];
  return model.countsTokens ? COUNTING_MODEL_LIMITS : STATIC_MODEL_LIMITS;
}
