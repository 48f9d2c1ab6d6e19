import type { ViewAction } from './view.ts';

/** What the status page shows, worded by the host; the page only draws it. */
export interface StatusModel {
  readonly title: string;
  readonly folders: readonly StatusFolder[];
  /** Said in place of folders when there are none. */
  readonly empty: string;
}

export type StatusTone = 'good' | 'busy' | 'warning' | 'error' | 'quiet';

export interface StatusFolder {
  readonly name: string;
  readonly path: string;
  readonly tone: StatusTone;
  readonly state: string;
  readonly detail: string;
  /** From 0 to 1; null draws no bar. */
  readonly progress: number | null;
  readonly actions: readonly { readonly action: ViewAction; readonly label: string }[];
  readonly cards: readonly StatusCard[];
  readonly sections: readonly StatusSection[];
}

/** One number worth knowing. */
export interface StatusCard {
  readonly label: string;
  readonly value: string;
  readonly detail: string;
}

export type StatusSection =
  /** Names with their part of the whole, drawn as bars. */
  | {
      readonly kind: 'bars';
      readonly title: string;
      readonly bars: readonly { readonly label: string; readonly share: number; readonly value: string }[];
    }
  | {
      readonly kind: 'facts';
      readonly title: string;
      readonly facts: readonly StatusFact[];
    }
  /** Figures side by side; those that few people need open on demand. */
  | {
      readonly kind: 'tables';
      readonly title: string;
      readonly tables: readonly StatusTable[];
      readonly details: { readonly label: string; readonly tables: readonly StatusTable[] };
    }
  /** What went wrong, the newest first. */
  | { readonly kind: 'errors'; readonly title: string; readonly errors: readonly StatusError[] }
  /** Groups that open to a list of files. */
  | {
      readonly kind: 'files';
      readonly title: string;
      readonly note: string;
      readonly groups: readonly StatusFileGroup[];
    };

export interface StatusFact {
  readonly label: string;
  readonly value: string;
}

export interface StatusTable {
  /** Empty where the section's title says enough. */
  readonly caption: string;
  /** Headings; none where rows are names with a value. */
  readonly columns: readonly string[];
  /** Cells, as many as there are headings; the first names the row. */
  readonly rows: readonly (readonly string[])[];
}

export interface StatusError {
  readonly time: string;
  readonly code: string;
  readonly message: string;
  readonly actions: readonly { readonly action: ViewAction; readonly label: string }[];
}

export interface StatusFileGroup {
  readonly label: string;
  readonly count: string;
  readonly files: readonly { readonly path: string; readonly detail: string }[];
  /** Said after a list that was cut short. */
  readonly more: string;
}

export type StatusToHost =
  | { readonly kind: 'ready' }
  | { readonly kind: 'run'; readonly action: ViewAction }
  | { readonly kind: 'openFile'; readonly folder: string; readonly path: string };

export interface HostToStatus {
  readonly kind: 'model';
  readonly model: StatusModel;
}
