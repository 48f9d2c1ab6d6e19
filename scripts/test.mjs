/**
 * Everything `npm test` runs, in order, each step reported with its time; a failed step does not hide the ones after it.
 * Ends with the line `N passed, N failed`, counting every check and every single test. Names of steps as arguments run only those.
 */
import { spawn } from 'node:child_process';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const reports = join(root, 'out/reports');

const check = (name, ...command) => ({ name, command, report: undefined });
const vitest = (name, ...args) => {
  const report = join(reports, `${name}.json`);
  return {
    name,
    command: ['vitest', 'run', ...args, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
    report,
  };
};

const STEPS = [
  check('format', 'prettier', '--check', '--log-level=warn', '.'),
  check('types', 'tsc', '-p', 'tsconfig.json'),
  check('types-pure', 'tsc', '-p', 'tsconfig.pure.json'),
  check('types-webview', 'tsc', '-p', 'tsconfig.webview.json'),
  check('lint', 'eslint', '.', '--max-warnings=0'),
  check('layers', 'depcruise', '--config', '.dependency-cruiser.cjs', '--output-type', 'err', 'src'),
  check('unused', 'knip'),
  check('build', 'node', 'esbuild.mjs', '--production', '--tests'),
  vitest('tests'),
  check('package', 'node', 'scripts/package.mjs', '--out', 'out/tessera.vsix'),
  vitest('vscode', '--config', 'vitest.vscode.config.ts'),
];

/** Runs one step with the tools of node_modules first on the path; resolves to its exit code. */
function runStep({ command: [program, ...args] }) {
  return new Promise((resolve, reject) => {
    const path = `${join(root, 'node_modules/.bin')}:${process.env.PATH}`;
    const child = spawn(program, args, {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, PATH: path },
    });
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

/** Passed and failed tests of a step; a check counts as one, and so does a run that fails without a failed test. */
async function countResults({ report }, code) {
  if (report === undefined) return code === 0 ? [1, 0] : [0, 1];
  const result = await readFile(report, 'utf8').then(JSON.parse, () => undefined);
  if (result === undefined) return [0, 1];
  const { numPassedTests: passed, numFailedTests: failed, numPendingTests: skipped } = result;
  // Nothing is skipped silently: a skipped test fails.
  const bad = failed + skipped;
  return [passed, code !== 0 && bad === 0 ? 1 : bad];
}

await rm(reports, { recursive: true, force: true });
await mkdir(reports, { recursive: true });
const wanted = process.argv.slice(2);
const totals = { passed: 0, failed: 0 };
const rows = [];
for (const step of STEPS.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  process.stdout.write(`\n▶ ${step.name}: ${step.command.map((part) => part.replace(`${root}/`, '')).join(' ')}\n`);
  const start = performance.now();
  const code = await runStep(step);
  const [passed, failed] = await countResults(step, code);
  totals.passed += passed;
  totals.failed += failed;
  rows.push(
    `${failed === 0 ? '✓' : '✗'} ${step.name.padEnd(14)} ${((performance.now() - start) / 1000).toFixed(1).padStart(6)} s  ${passed} passed${failed > 0 ? `, ${failed} failed` : ''}`,
  );
}
process.stdout.write(`\n${rows.join('\n')}\n\n${totals.passed} passed, ${totals.failed} failed\n`);
process.exitCode = totals.failed === 0 && totals.passed > 0 ? 0 : 1;
