import { parseDisplacement } from './displacementMeter.ts';
import { isCount } from './jsonFacts.ts';
import { parseMemoryCeiling } from './memoryCeiling.ts';
import { NO_AUDIT, parseAuditState } from './neighbourAudit.ts';
import { parseThroughputState } from './throughputModel.ts';
import type { TunerState } from './tunerTypes.ts';

/** A saved state as read from a file, or undefined when it is damaged or of another version. */
export function parseTunerState(saved: unknown): TunerState | undefined {
  if (typeof saved !== 'object' || saved === null) return undefined;
  const fields = saved as Partial<Record<keyof TunerState, unknown>>;
  const throughput = parseThroughputState(fields.throughput);
  const { budgetTokens, bestTokensPerSecond, runs, converged } = fields;
  // States from before there was credit, were audits, or it was measured what is displaced, are good for the rest.
  const probeCredit = fields.probeCredit ?? 0;
  const audit = fields.audit === undefined ? NO_AUDIT : parseAuditState(fields.audit);
  const displacement = parseDisplacement(fields.displacement ?? []);
  const memoryCeiling = parseMemoryCeiling(fields.memoryCeiling);
  if (fields.version !== 1 || throughput === undefined || memoryCeiling === undefined) return undefined;
  if (audit === undefined || displacement === undefined) return undefined;
  if (typeof converged !== 'boolean') return undefined;
  if (!isCount(budgetTokens) || !isCount(bestTokensPerSecond) || !isCount(runs) || !isCount(probeCredit))
    return undefined;
  return {
    version: 1,
    budgetTokens,
    bestTokensPerSecond,
    converged,
    runs,
    throughput,
    memoryCeiling,
    probeCredit,
    audit,
    displacement,
  };
}
