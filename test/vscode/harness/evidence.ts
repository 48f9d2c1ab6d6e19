import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { TestWindow } from './testWindow.ts';

const EVIDENCE = join(import.meta.dirname, '../../../out/failed-tests');

/** When the running test fails, keeps a picture of the window in `out/failed-tests`. */
export function keepEvidence(window: TestWindow): void {
  onTestFinished(async ({ task }) => {
    if (task.result?.state !== 'fail') return;
    await mkdir(EVIDENCE, { recursive: true });
    const name = task.name.replaceAll(/[^\w]+/g, '-').slice(0, 80);
    await window.workbench.screenshot(join(EVIDENCE, `${name}.png`));
  });
}
