/** A key press, as far as the tree cares; a `KeyboardEvent` is one. */
export interface KeyPress {
  readonly key: string;
  /** The key's place on the keyboard: Alt and a letter make another character on a Mac. */
  readonly code: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly shiftKey: boolean;
}

/** The row a key is pressed on. */
export interface KeyedRow {
  readonly kind: 'file' | 'hit' | 'more';
  readonly isFirst: boolean;
  /** A file that shows its hits, a hit that shows all its lines. */
  readonly isOpen: boolean;
}

export type TreeAction =
  | { readonly kind: 'move'; readonly to: 'next' | 'previous' | 'first' | 'last' | 'pageDown' | 'pageUp' | 'parent' }
  /** Upwards, out of the tree. */
  | { readonly kind: 'leave' }
  | { readonly kind: 'toggle' }
  | { readonly kind: 'open'; readonly mode: 'preview' | 'focus' | 'side' }
  | { readonly kind: 'loadMore' }
  | { readonly kind: 'dismiss' }
  | { readonly kind: 'copy'; readonly what: 'text' | 'path' | 'relativePath' };

/** What a key means on a row, as in VS Code's own trees; undefined when the tree has no use for it. */
export function treeAction(press: KeyPress, row: KeyedRow): TreeAction | undefined {
  const withCommand = press.ctrlKey || press.metaKey;
  switch (press.key) {
    case 'ArrowDown':
      return { kind: 'move', to: 'next' };
    case 'ArrowUp':
      return withCommand || row.isFirst ? { kind: 'leave' } : { kind: 'move', to: 'previous' };
    case 'Home':
      return { kind: 'move', to: 'first' };
    case 'End':
      return { kind: 'move', to: 'last' };
    case 'PageDown':
      return { kind: 'move', to: 'pageDown' };
    case 'PageUp':
      return { kind: 'move', to: 'pageUp' };
    case 'ArrowRight':
      if (row.kind === 'more') return undefined;
      if (!row.isOpen) return { kind: 'toggle' };
      return row.kind === 'file' ? { kind: 'move', to: 'next' } : undefined;
    case 'ArrowLeft':
      if (row.kind === 'more') return undefined;
      if (row.isOpen) return { kind: 'toggle' };
      return row.kind === 'hit' ? { kind: 'move', to: 'parent' } : undefined;
    case 'Enter':
      if (row.kind === 'more') return { kind: 'loadMore' };
      return row.kind === 'file' ? { kind: 'toggle' } : { kind: 'open', mode: withCommand ? 'side' : 'focus' };
    case ' ':
      if (row.kind === 'more') return { kind: 'loadMore' };
      return row.kind === 'file' ? { kind: 'toggle' } : { kind: 'open', mode: 'preview' };
    case 'Delete':
      return row.kind === 'more' ? undefined : { kind: 'dismiss' };
    case 'Backspace':
      // What Delete is on a Mac keyboard, as in VS Code's search view.
      return press.metaKey && row.kind !== 'more' ? { kind: 'dismiss' } : undefined;
    case 'Escape':
      return { kind: 'leave' };
    default:
      // VS Code keeps every Ctrl+C, with Alt or without, inside the webview: copying paths is up to the tree as well.
      return withCommand && press.code === 'KeyC' && row.kind !== 'more' ? copyAction(press) : undefined;
  }
}

function copyAction({ altKey, shiftKey }: KeyPress): TreeAction | undefined {
  if (altKey) return { kind: 'copy', what: shiftKey ? 'relativePath' : 'path' };
  return shiftKey ? undefined : { kind: 'copy', what: 'text' };
}
