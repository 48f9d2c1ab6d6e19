import type { ViewFile, ViewHit, ViewReason, ViewStrings } from '../protocol/view.ts';
import { element, fill, icon, iconButton } from './dom.ts';
import { snippetElement, windowAround } from './snippet.ts';

export interface RowActions {
  openToSide(hit: ViewHit): void;
  similar(hit: ViewHit): void;
  toggleWhy(hit: ViewHit): void;
  dismiss(rowId: string): void;
}

export interface HitLook {
  readonly snippetLines: number;
  readonly isExpanded: boolean;
}

/** The context VS Code gives to the commands of its context menu. */
function menuContext(webviewSection: 'hit' | 'file', rowId: string): string {
  return JSON.stringify({ webviewSection, rowId, preventDefaultContextMenuItems: true });
}

/** A file's row: name, folder, count. The row's id is the file's key. */
export function fileRow(file: ViewFile, isCollapsed: boolean, strings: ViewStrings, actions: RowActions): HTMLElement {
  const count = file.hits.length;
  const countWords = count === 1 ? strings.oneHit : fill(strings.hitCount, count);
  return element(
    'div',
    {
      class: 'row file',
      role: 'treeitem',
      tabindex: -1,
      'aria-level': 1,
      'aria-expanded': String(!isCollapsed),
      'aria-label': [file.name, file.directory, countWords, file.stale ? strings.stale : '']
        .filter((part) => part !== '')
        .join(', '),
      'data-row': file.key,
      'data-vscode-context': menuContext('file', file.key),
    },
    icon('chevron-down', 'twistie'),
    icon(iconOf(file), 'file-icon'),
    element(
      'span',
      { class: 'file-label', title: file.directory === '' ? file.name : `${file.name} • ${file.directory}` },
      element('span', { class: 'file-name' }, file.name),
      element('span', { class: 'file-directory' }, file.directory),
    ),
    file.stale ? element('span', { class: 'stale', title: strings.stale }, icon('history')) : null,
    element(
      'span',
      { class: 'row-actions' },
      rowButton('close', strings.dismiss, () => actions.dismiss(file.key)),
    ),
    element('span', { class: 'badge' }, String(count)),
  );
}

/** A hit's row: strength, name, lines, snippet and, when expanded, the reasons and all lines. */
export function hitRow(hit: ViewHit, look: HitLook, strings: ViewStrings, actions: RowActions): HTMLElement {
  const lines = linesWords(hit, strings);
  const strength = fill(strings.strength, Math.round(hit.strength * 100));
  const shown = look.isExpanded ? hit.lines : windowAround(hit, look.snippetLines);
  const best = hit.lines.find((line) => line.number === hit.bestLine)?.text.trim() ?? '';
  return element(
    'div',
    {
      class: look.isExpanded ? 'row hit expanded' : 'row hit',
      role: 'treeitem',
      tabindex: -1,
      'aria-level': 2,
      'aria-expanded': String(look.isExpanded),
      'aria-label': [hit.symbol, lines, best, strength].filter((part) => part !== '').join(', '),
      'data-row': hit.id,
      'data-vscode-context': menuContext('hit', hit.id),
    },
    element(
      'div',
      { class: 'hit-head' },
      meter(hit.strength, strength),
      hit.symbol === ''
        ? element('span', { class: 'hit-name unnamed' }, lines)
        : element('span', { class: 'hit-name', title: hit.symbol }, ...symbolParts(hit.symbol)),
      element(
        'span',
        { class: 'row-actions' },
        rowButton('question', look.isExpanded ? strings.hideWhy : strings.why, () => actions.toggleWhy(hit)),
        rowButton('sparkle', strings.findSimilar, () => actions.similar(hit)),
        rowButton('split-horizontal', strings.openToSide, () => actions.openToSide(hit)),
        rowButton('close', strings.dismiss, () => actions.dismiss(hit.id)),
      ),
      hit.symbol === '' ? null : element('span', { class: 'hit-lines', title: lines }, rangeText(hit)),
    ),
    // Above the lines, which may be more than fit: who asks why wants to see the answer.
    look.isExpanded && hit.reasons.length > 0 ? reasonsElement(hit.reasons, strings.why) : null,
    shown.length === 0 || (look.snippetLines === 0 && !look.isExpanded) ? null : snippetElement(hit, shown, strings),
  );
}

export function loadMoreRow(label: string): HTMLElement {
  return element(
    'div',
    { class: 'row more', role: 'treeitem', tabindex: -1, 'aria-level': 1, 'data-row': 'more' },
    icon('chevron-down'),
    element('span', {}, label),
  );
}

function rowButton(name: string, label: string, run: () => void): HTMLButtonElement {
  const button = iconButton(name, label, (event) => {
    // The row's own click would open the hit.
    event.stopPropagation();
    run();
  });
  // Reached with the row's keys and its context menu; not one more stop for Tab.
  button.tabIndex = -1;
  return button;
}

/** A name with the scopes around it dimmed and, where there is little room, cut first: `Router.` before `match`. */
function symbolParts(symbol: string): readonly Node[] {
  const dot = Math.max(symbol.lastIndexOf('.'), symbol.lastIndexOf('::') + 1);
  if (dot <= 0) return [element('span', { class: 'own-name' }, symbol)];
  return [
    element('span', { class: 'enclosing' }, symbol.slice(0, dot + 1)),
    element('span', { class: 'own-name' }, symbol.slice(dot + 1)),
  ];
}

function meter(strength: number, label: string): HTMLElement {
  const value = element('span', { class: 'meter-value' });
  value.style.height = `${Math.max(15, Math.round(strength * 100))}%`;
  return element('span', { class: 'meter', title: label, 'aria-hidden': 'true' }, value);
}

function reasonsElement(reasons: readonly ViewReason[], title: string): HTMLElement {
  return element(
    'div',
    { class: 'reasons', role: 'group', 'aria-label': title },
    ...reasons.flatMap(({ label, detail, share }) => {
      const bar = element('span', { class: share < 0 ? 'reason-bar negative' : 'reason-bar' });
      bar.style.width = `${Math.max(4, Math.round(Math.abs(share) * 100))}%`;
      return [
        element('span', { class: 'reason-label' }, label),
        element('span', { class: 'reason-track', 'aria-hidden': 'true' }, bar),
        element('span', { class: 'reason-detail', title: detail }, detail),
      ];
    }),
  );
}

function linesWords({ startLine, endLine }: ViewHit, strings: ViewStrings): string {
  return startLine === endLine ? fill(strings.oneLine, startLine) : fill(strings.linesRange, startLine, endLine);
}

function rangeText({ startLine, endLine }: ViewHit): string {
  return startLine === endLine ? String(startLine) : `${startLine}–${endLine}`;
}

function iconOf({ hits, language }: ViewFile): string {
  if (language === 'markdown' || language === 'mdx') return 'markdown';
  if (hits[0]?.scope === 'docs') return 'book';
  if (language === 'json' || language === 'jsonc') return 'json';
  if (language === 'shellscript' || language === 'powershell' || language === 'bat') return 'terminal';
  if (language === 'yaml' || language === 'toml' || language === 'ini' || language === 'properties') return 'settings';
  if (language === 'sql') return 'database';
  return 'file-code';
}
