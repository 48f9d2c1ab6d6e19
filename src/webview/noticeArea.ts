import type { Notice, ViewAction } from '../protocol/view.ts';
import { element } from './dom.ts';
import { noticeElement } from './noticeElement.ts';

/** A place for notices. A notice whose words alone changed keeps its elements, so that a button does not move under the mouse. */
export class NoticeArea {
  readonly root: HTMLElement;
  readonly #layout: 'line' | 'page';
  readonly #run: (action: ViewAction) => void;
  #shown: readonly Notice[] = [];

  constructor(layout: 'line' | 'page', run: (action: ViewAction) => void) {
    this.#layout = layout;
    this.#run = run;
    this.root = element('div', { class: `notices ${layout}s`, hidden: true });
  }

  show(notices: readonly Notice[]): void {
    const isSameShape =
      notices.length === this.#shown.length &&
      notices.every((notice, at) => shapeOf(notice) === shapeOf(this.#shown[at]));
    if (isSameShape) notices.forEach((notice, at) => this.#update(this.root.children[at], notice));
    else this.root.replaceChildren(...notices.map((notice) => noticeElement(notice, this.#layout, this.#run)));
    this.root.hidden = notices.length === 0;
    this.#shown = notices;
  }

  #update(node: Element | undefined, { title, detail, progress }: Notice): void {
    setText(node?.querySelector('.notice-title'), title);
    setText(node?.querySelector('.notice-detail'), detail);
    const bar = node?.querySelector<HTMLElement>('.progress-value');
    if (bar === null || bar === undefined || progress === null) return;
    bar.style.width = `${Math.round(progress * 1000) / 10}%`;
    bar.parentElement?.setAttribute('aria-valuenow', String(Math.round(progress * 100)));
  }
}

function shapeOf(notice: Notice | undefined): string {
  if (notice === undefined) return '';
  const { tone, icon, detail, progress, actions } = notice;
  return JSON.stringify([tone, icon, detail === '', progress === null, actions]);
}

function setText(node: Element | null | undefined, text: string): void {
  if (node !== null && node !== undefined && node.textContent !== text) node.textContent = text;
}
