import type { Scope, ScopeFilter } from './scope.ts';

/**
 * What travels between the side-bar view and the extension host. The view draws and decides nothing: words, groups and
 * marks are made by the host, so that the browser code stays small and needs no translations of its own.
 */

/** Everything a person can set before asking. Globs and languages are as typed: separated by commas. */
export interface ViewQuery {
  readonly text: string;
  readonly scope: ScopeFilter;
  readonly include: string;
  readonly exclude: string;
  readonly useExcludeSettings: boolean;
  readonly languages: string;
}

export const EMPTY_VIEW_QUERY: ViewQuery = {
  text: '',
  scope: 'all',
  include: '',
  exclude: '',
  useExcludeSettings: true,
  languages: '',
};

/** Start and end column of a marked stretch, in UTF-16 units, end exclusive. */
export type Mark = readonly [start: number, end: number];

export interface SnippetLine {
  /** Line number in the file, from 1. */
  readonly number: number;
  readonly text: string;
  /** Words of the query seen in this line. */
  readonly marks: readonly Mark[];
}

/** One part of the ranking, for "why this hit". */
export interface ViewReason {
  readonly label: string;
  readonly detail: string;
  /** Part of the hit's score, from -1 to 1; a negative share pulled the hit down. */
  readonly share: number;
}

export interface ViewHit {
  /** Unique within one answer. */
  readonly id: string;
  readonly startLine: number;
  readonly endLine: number;
  /** The line to show first. */
  readonly bestLine: number;
  readonly symbol: string;
  readonly scope: Scope;
  readonly language: string;
  /** What speaks for the hit, as a share of what speaks for the answer's best one, from 0 to 1. */
  readonly strength: number;
  readonly lines: readonly SnippetLine[];
  readonly reasons: readonly ViewReason[];
}

export interface ViewFile {
  /** Folder and path: unique in the window. */
  readonly key: string;
  readonly name: string;
  /** Folder-relative directory, after the workspace folder's name where there are several; may be empty. */
  readonly directory: string;
  readonly language: string;
  readonly hits: readonly ViewHit[];
  /** Changed on disk since the answer was made. */
  readonly stale: boolean;
}

/** Things a notice can offer. Each is a command of the extension. */
export const VIEW_ACTIONS = [
  'indexNow',
  'pause',
  'resume',
  'showStatus',
  'showLog',
  'restart',
  'refresh',
  'manageTrust',
  'openSettings',
  'clearFilters',
  'openWalkthrough',
] as const;
export type ViewAction = (typeof VIEW_ACTIONS)[number];

/** A message with something to do about it: an empty state, a note above the hits, an error. */
export interface Notice {
  readonly tone: 'info' | 'progress' | 'warning' | 'error';
  /** Name of a codicon. */
  readonly icon: string;
  readonly title: string;
  readonly detail: string;
  /** From 0 to 1; null draws no bar, or one without an end for the tone `progress`. */
  readonly progress: number | null;
  readonly actions: readonly { readonly action: ViewAction; readonly label: string }[];
}

/** The view's words, in the person's language. `{0}` stands for a value. */
export interface ViewStrings {
  readonly queryPlaceholder: string;
  readonly queryLabel: string;
  readonly clearQuery: string;
  readonly cancelSearch: string;
  readonly scopeLabel: string;
  readonly scopeAll: string;
  readonly scopeCode: string;
  readonly scopeDocs: string;
  readonly toggleDetails: string;
  readonly includeLabel: string;
  readonly excludeLabel: string;
  readonly useExcludeSettings: string;
  readonly languagesLabel: string;
  readonly globPlaceholder: string;
  readonly languagesPlaceholder: string;
  readonly resultsLabel: string;
  readonly loadMore: string;
  readonly searching: string;
  readonly linesRange: string;
  readonly oneLine: string;
  readonly strength: string;
  readonly hitCount: string;
  readonly oneHit: string;
  readonly stale: string;
  readonly why: string;
  readonly hideWhy: string;
  readonly openToSide: string;
  readonly findSimilar: string;
  readonly dismiss: string;
  readonly copied: string;
  readonly moreLines: string;
  readonly oneMoreLine: string;
  readonly similarTo: string;
}

export interface ViewPreferences {
  readonly searchOnType: boolean;
  readonly debounceMs: number;
  /** Lines of a hit shown before a person expands it. */
  readonly snippetLines: number;
  /** Hits asked for at first, and added by "load more". */
  readonly pageSize: number;
}

/** Colours of the person's theme for the kinds of token the view tells apart; a missing one falls back to the style sheet. */
export type TokenColors = Readonly<Partial<Record<TokenKind, string>>>;
export const TOKEN_KINDS = [
  'comment',
  'string',
  'number',
  'keyword',
  'storage',
  'type',
  'function',
  'heading',
] as const;
export type TokenKind = (typeof TOKEN_KINDS)[number];

/** How a hit is opened: `preview` keeps the focus in the view, `pin` makes the editor stay. */
export type OpenMode = 'preview' | 'focus' | 'pin' | 'side';

export type ViewToHost =
  | { readonly kind: 'ready' }
  /** A new generation makes every older answer stale. `remember` adds the text to the history. */
  | {
      readonly kind: 'search';
      readonly generation: number;
      readonly query: ViewQuery;
      readonly limit: number;
      readonly remember: boolean;
    }
  /** `generation` is where to say so, for the person asked for it; null when there is nothing to say. */
  | { readonly kind: 'cancel'; readonly generation: number | null }
  | { readonly kind: 'open'; readonly hitId: string; readonly mode: OpenMode; readonly line: number | null }
  | { readonly kind: 'similar'; readonly hitId: string }
  | { readonly kind: 'copy'; readonly hitId: string }
  | { readonly kind: 'copyPath'; readonly fileKey: string; readonly relative: boolean }
  | { readonly kind: 'run'; readonly action: ViewAction }
  /** What the view holds, for the keys and title buttons that need some of it. */
  | { readonly kind: 'contents'; readonly hasHits: boolean; readonly hasQuery: boolean; readonly hasFocus: boolean };

export type ViewCommand =
  'focusQuery' | 'focusResults' | 'nextHit' | 'previousHit' | 'collapseAll' | 'refresh' | 'clear' | 'toggleDetails';

/** What a context menu or a key asks the view to do with one row. */
export type RowCommand =
  'open' | 'openToSide' | 'why' | 'similar' | 'copy' | 'copyPath' | 'copyRelativePath' | 'dismiss';

export type HostToView =
  | {
      readonly kind: 'init';
      readonly strings: ViewStrings;
      readonly preferences: ViewPreferences;
      readonly colors: TokenColors;
      readonly history: readonly string[];
    }
  | { readonly kind: 'preferences'; readonly preferences: ViewPreferences }
  | { readonly kind: 'colors'; readonly colors: TokenColors }
  | { readonly kind: 'history'; readonly history: readonly string[] }
  /** Fills the boxes and searches when there is a text to search for. Left-out fields stay as they are. */
  | { readonly kind: 'query'; readonly query: Partial<ViewQuery> }
  | {
      readonly kind: 'results';
      readonly generation: number;
      /** Set when the hits are those similar to a place, not those of the query box. */
      readonly similarTo: string | null;
      readonly files: readonly ViewFile[];
      readonly hitCount: number;
      readonly hasMore: boolean;
      /** One sentence: how many, how long. */
      readonly summary: string;
      readonly notices: readonly Notice[];
      /** What to show in place of hits when there are none. */
      readonly empty: Notice | null;
    }
  | { readonly kind: 'failed'; readonly generation: number; readonly notice: Notice }
  /** The state of the index, above the hits; null when there is nothing worth saying. */
  | { readonly kind: 'banner'; readonly notice: Notice | null }
  /** What fills the view before the first search. */
  | { readonly kind: 'welcome'; readonly notice: Notice }
  | { readonly kind: 'stale'; readonly fileKeys: readonly string[] }
  /** Files whose hits lead nowhere any more, whatever is being asked meanwhile; `summary` and `empty` are as in results, for what is left. */
  | {
      readonly kind: 'gone';
      readonly fileKeys: readonly string[];
      readonly summary: string;
      readonly empty: Notice | null;
    }
  | { readonly kind: 'command'; readonly command: ViewCommand }
  | { readonly kind: 'rowCommand'; readonly command: RowCommand; readonly rowId: string | null };
