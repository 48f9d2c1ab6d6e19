import { afterAll, beforeAll, beforeEach, expect, inject, onTestFinished, test } from 'vitest';
import { keepEvidence } from '../harness/evidence.ts';
import { signalAll } from '../harness/processes.ts';
import { TestWindow } from '../harness/testWindow.ts';

let window: TestWindow;

beforeAll(async () => {
  window = await TestWindow.open({ extensionsDir: inject('extensionsDir') });
  await window.panel.open();
  await window.untilIndexed();
  // The embedder runs once something was embedded.
  await window.panel.ask('where are failed calls tried again');
});
beforeEach(() => keepEvidence(window));
afterAll(async () => window.close());

/** From here on no question is answered, until the function that comes back is called. */
async function holdAnswers(): Promise<() => Promise<unknown>> {
  const release = () => signalAll(inject('extensionsDir'), 'embedder.js', 'SIGCONT');
  onTestFinished(async () => {
    await release();
  });
  expect(await signalAll(inject('extensionsDir'), 'embedder.js', 'SIGSTOP')).toBeGreaterThan(0);
  return release;
}

const cancelButton = () => window.panel.document.getByRole('button', { name: 'Cancel Search (Esc)' });
const said = () => window.panel.document.locator('.notice-title', { hasText: 'Search was cancelled' });
const fileNames = () => window.panel.files.locator('.file-name').allTextContents();

for (const [way, cancel] of [
  ['the button', () => cancelButton().click()],
  ['Esc', () => window.page.keyboard.press('Escape')],
] as const) {
  test(`a search that is cancelled by ${way} says so, and its answer never comes`, async () => {
    const { panel } = window;
    await panel.ask('tax owed on an invoice');
    await expect.poll(async () => (await fileNames())[0]).toBe('invoice.py');
    const before = await fileNames();
    const release = await holdAnswers();
    await panel.query.fill(`health checks of the load balancer, by ${way}`);
    await cancelButton().waitFor();
    await cancel();
    await said().waitFor();
    await cancelButton().waitFor({ state: 'hidden' });
    await expect.poll(() => panel.document.locator('.live').textContent()).toBe('Search was cancelled');
    expect(await fileNames()).toEqual(before);

    await release();
    // A question in the other window of the same server: the late answer to the cancelled one would be here before it.
    await window.workbench.runCommand('Tessera: Search…');
    await window.workbench.quickInput.getByText('Search by Meaning').waitFor();
    await window.page.keyboard.type('evict the least recently used entry');
    await expect.poll(() => window.workbench.quickPicks.first().textContent()).toContain('src/cache.go');
    await window.workbench.closeQuickInput();
    expect(await fileNames()).toEqual(before);
    expect(await said().count()).toBe(1);
    await panel.document.getByRole('button', { name: 'Search Again' }).click();
    await expect.poll(async () => (await fileNames())[0]).toBe('deployment.md');
    expect(await said().count()).toBe(0);
  });
}

test('another question takes the place of the one that runs', async () => {
  const { panel } = window;
  await panel.ask('tax owed on an invoice');
  const release = await holdAnswers();
  await panel.query.fill('dump the database and keep the last archives');
  await cancelButton().waitFor();
  await panel.query.fill('evict the least recently used entry, soon');
  await release();
  const seen = new Set<string | undefined>();
  await expect
    .poll(async () => {
      const [first] = await fileNames();
      seen.add(first);
      return first;
    })
    .toBe('cache.go');
  expect([...seen]).not.toContain('backup');
  expect(await said().count()).toBe(0);
});

test('the Quick Pick says that it searches also where a key follows the one that started the search before', async () => {
  const { page, workbench } = window;
  const progress = workbench.quickInput.locator('.monaco-progress-container.active');
  const release = await holdAnswers();
  await workbench.runCommand('Tessera: Search…');
  await workbench.quickInput.getByText('Search by Meaning').waitFor();
  await page.keyboard.type('lr');
  // The second search has been started since.
  await page.waitForTimeout(1000);
  expect(await progress.isVisible()).toBe(true);
  await release();
  await progress.waitFor({ state: 'hidden' });
  await workbench.closeQuickInput();
});

test('the Quick Pick that is closed while it searches stays closed', async () => {
  const { page, workbench } = window;
  const release = await holdAnswers();
  await workbench.runCommand('Tessera: Search…');
  // Keys that come before it is there go to the palette that closes.
  await workbench.quickInput.getByText('Search by Meaning').waitFor();
  await page.keyboard.type('a question nobody waits for');
  await workbench.quickInput.locator('.monaco-progress-container.active').waitFor();
  await workbench.closeQuickInput();
  await release();
  await window.panel.ask('tax owed on an invoice');
  await expect.poll(async () => (await fileNames())[0]).toBe('invoice.py');
  expect(await workbench.quickInput.isVisible()).toBe(false);
  expect(await page.locator('.notification-toast').count()).toBe(0);
});
