import type { FrameLocator, Locator } from 'playwright-core';
import type { Workbench } from './workbench.ts';

/** The extension's view in the side bar, as a person sees it. */
export class SearchPanel {
  readonly #workbench: Workbench;

  constructor(workbench: Workbench) {
    this.#workbench = workbench;
  }

  /** Brings the view to the front and waits for it. */
  async open(): Promise<void> {
    await this.#workbench.showSideBar(/^Tessera/);
    await this.query.waitFor({ timeout: 60_000 });
  }

  get document(): FrameLocator {
    return this.#workbench.webview();
  }

  get query(): Locator {
    return this.document.locator('input[name=query]');
  }

  /** Everything that can be walked with the arrow keys: files, hits, "load more". */
  get rows(): Locator {
    return this.document.locator('.row');
  }

  get files(): Locator {
    return this.document.locator('.row.file');
  }

  get hits(): Locator {
    return this.document.locator('.row.hit');
  }

  /** The row the keyboard is on. */
  get focusedRow(): Locator {
    return this.document.locator('.row:focus');
  }

  /** Types a question as a person does, key by key, and waits for the hits of the whole of it. */
  async ask(text: string): Promise<void> {
    await this.query.fill('');
    await this.query.pressSequentially(text);
    await this.untilAnswered();
    await this.hits.first().waitFor();
    // Keys such as F4 work once VS Code has been told that there are hits, which is a moment after they are seen.
    await this.#workbench.page
      .locator('.part.sidebar .composite.title a[aria-label^="Collapse"]:not(.disabled)')
      .waitFor({ state: 'attached' });
  }

  /** Until what is shown answers what is asked. */
  async untilAnswered(): Promise<void> {
    await this.document.locator('.results[aria-busy=false]').waitFor({ state: 'attached', timeout: 60_000 });
  }
}
