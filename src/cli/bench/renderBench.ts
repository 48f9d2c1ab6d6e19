import { counted } from '../../base/wording.ts';
import type { BenchCase, BenchRatio, BenchReport, SessionComparison } from './benchReport.ts';
import { BEST_FIXED, ratioName } from './summarizeWorkload.ts';

const BAR_WIDTH = 24;
const NAME_WIDTH = 26;

/** A report as text for a terminal: a chart for each workload, then what was compared with what. */
export function renderBench(report: BenchReport): string {
  const lines = [
    `${report.model} on ${report.device}, ${counted(report.threads, 'thread')} (${report.processor})${report.clock === 'cpu' ? ', processor time' : ''}`,
  ];
  const workloads = [...new Set(report.cases.map((one) => one.workload))];
  for (const workload of workloads) {
    const cases = report.cases.filter((one) => one.workload === workload);
    lines.push('', ...chart(workload, cases, report.ratios));
  }
  for (const session of report.sessions) lines.push('', ...sessionLines(session));
  if (report.matrixLimit !== null) {
    const { embeddingGflops, limitGflops, share, precision } = report.matrixLimit;
    lines.push(
      '',
      `matrix products alone (${precision}): ${limitGflops.toFixed(0)} G operations/s; embedding ${embeddingGflops.toFixed(0)}: ${percent(share.median)} (${percent(share.low)} to ${percent(share.high)})`,
    );
  }
  if (!report.complete) lines.push('', 'Time was up before all was measured: the same call goes on from here.');
  if (report.notes.length > 0) lines.push('', ...report.notes);
  return lines.join('\n');
}

function chart(workload: string, cases: readonly BenchCase[], ratios: BenchReport['ratios']): string[] {
  const fastest = Math.max(...cases.map((one) => one.tokensPerSecond));
  const head = `${workload.padEnd(NAME_WIDTH)}${''.padEnd(BAR_WIDTH)}   tokens/s  padding     p50     p99    RSS  tuned is`;
  const best = ratios[ratioName(workload, BEST_FIXED)];
  return [
    head,
    ...cases.map((one) => {
      const bar = '█'.repeat(Math.max(1, Math.round((one.tokensPerSecond / fastest) * BAR_WIDTH))).padEnd(BAR_WIDTH);
      const ratio = ratios[ratioName(workload, one.policy)];
      return [
        one.policy.padEnd(NAME_WIDTH),
        bar,
        Math.round(one.tokensPerSecond).toLocaleString('en').padStart(11),
        percent(one.paddingRatio).padStart(9),
        `${one.p50Ms.toFixed(1)} ms`.padStart(11),
        `${one.p99Ms.toFixed(0)} ms`.padStart(8),
        `${one.peakRssMb.toFixed(0)} MB`.padStart(8),
        ratio === undefined ? '' : `  ${ratioText(ratio)}`,
      ].join('');
    }),
    ...(best === undefined
      ? []
      : [
          `tuned is ${ratioText(best)} the best other policy, in ${best.repetitions} passes of the two after it was chosen`,
        ]),
  ];
}

function sessionLines(session: SessionComparison): string[] {
  const { workload, chunks, oracleBudget, oracleTokensPerSecond, cold, saved, coldBudget } = session;
  const converged =
    session.coldConvergedAfterRuns === null ? 'still learning' : `done after ${session.coldConvergedAfterRuns} runs`;
  return [
    `${workload}: ${chunks} chunks, best fixed budget ${oracleBudget} at ${Math.round(oracleTokensPerSecond).toLocaleString('en')} tokens/s`,
    `  learning from nothing ${ratioText(cold)} (budget ${coldBudget}, ${converged}), from saved state ${ratioText(saved)}`,
  ];
}

function ratioText({ median, low, high }: BenchRatio): string {
  return `${median.toFixed(2)}× (${low.toFixed(2)} to ${high.toFixed(2)})`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
}
