import { writeFile } from 'node:fs/promises';
import Mocha from 'mocha';
import { beginTest, noteOf } from './suites/notes.ts';

/** One test as reported to the process that started VS Code. */
export interface SuiteResult {
  readonly title: string;
  readonly error: string | null;
  readonly durationMs: number;
  /** Something the test measured. */
  readonly note: string | null;
}

/** Called by VS Code inside the extension host. Writes the results to the file `TESSERA_TEST_RESULTS` names. */
export async function run(): Promise<void> {
  const file = process.env['TESSERA_TEST_RESULTS'];
  if (file === undefined) throw new Error('TESSERA_TEST_RESULTS is not set.');
  const results: SuiteResult[] = [];
  try {
    const mocha = new Mocha({ ui: 'tdd', timeout: 300_000 });
    mocha.suite.emit('pre-require', globalThis, '', mocha);
    await import('./suites/all.ts');
    await new Promise<void>((resolve) => {
      const keep = (test: Mocha.Test, error: string | null) =>
        results.push({
          title: test.fullTitle(),
          error,
          durationMs: test.duration ?? 0,
          note: noteOf(test.fullTitle()),
        });
      mocha
        .run(() => resolve())
        .on('test', (test) => beginTest(test.fullTitle()))
        .on('pass', (test) => keep(test, null))
        .on('fail', (test, error: Error) => keep(test, error.stack ?? error.message))
        .on('pending', (test) => keep(test, 'skipped'));
    });
  } catch (error) {
    results.push({
      title: 'suites load',
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      durationMs: 0,
      note: null,
    });
  }
  await writeFile(file, JSON.stringify(results));
}
