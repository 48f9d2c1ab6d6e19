import type { Notice, ViewAction } from '../protocol/view.ts';
import { element, icon } from './dom.ts';

/** Actions that mend nothing and are there for the curious. */
const OFFERS: ReadonlySet<ViewAction> = new Set<ViewAction>([
  'openWalkthrough',
  'showStatus',
  'showLog',
  'openSettings',
]);

/** A short message with what can be done about it; `layout` tells a line above the hits from one that fills the view. */
export function noticeElement(
  { tone, icon: iconName, title, detail, progress, actions }: Notice,
  layout: 'line' | 'page',
  run: (action: ViewAction) => void,
): HTMLElement {
  const isBusy = tone === 'progress';
  const buttons = actions.map(({ action, label }, index) => {
    const isOffer = layout === 'page' && tone === 'info' && OFFERS.has(action);
    const look = layout === 'line' || isOffer ? 'link-button' : index === 0 ? 'button primary' : 'button';
    const button = element('button', { type: 'button', class: look }, label);
    button.addEventListener('click', () => run(action));
    return button;
  });
  return element(
    'div',
    { class: `notice ${layout} tone-${tone}`, role: tone === 'error' ? 'alert' : 'group', 'aria-label': title },
    icon(iconName, isBusy ? 'codicon-modifier-spin' : ''),
    element(
      'div',
      { class: 'notice-text' },
      element('span', { class: 'notice-title' }, title),
      // In one line a title that is no sentence runs into what follows.
      layout === 'page' || detail === '' || /[.!?。]$/.test(title) ? ' ' : ' · ',
      detail === '' ? null : element('span', { class: 'notice-detail' }, detail),
      ' ',
      buttons.length === 0 ? null : element('span', { class: 'notice-actions' }, ...buttons),
    ),
    progress === null ? null : progressElement(progress, title),
  );
}

export function progressElement(share: number, label: string): HTMLElement {
  const bar = element('div', { class: 'progress-value' });
  bar.style.width = `${Math.round(share * 1000) / 10}%`;
  return element(
    'div',
    {
      class: 'progress',
      role: 'progressbar',
      'aria-label': label,
      'aria-valuemin': 0,
      'aria-valuemax': 100,
      'aria-valuenow': Math.round(share * 100),
    },
    bar,
  );
}
