import type { Scope } from '../../protocol/scope.ts';

/** How a language is recognised and what a person may call it. All names in lower case but `names`. */
export interface LanguageEntry {
  /** VS Code's language id where there is one. */
  readonly id: string;
  readonly scope: Scope;
  /** What may be typed for it besides the id and the extensions. */
  readonly aliases?: readonly string[];
  /** File name endings after a dot; several dots are allowed (`d.ts`), the longest wins. */
  readonly extensions?: readonly string[];
  /** Whole file names, compared without case. */
  readonly names?: readonly string[];
  /** File name beginnings followed by a dot, `-` or `_` (`Dockerfile.dev`), compared without case. */
  readonly prefixes?: readonly string[];
  /** Programs of a `#!` line, without a version. */
  readonly interpreters?: readonly string[];
}

export type LanguageNames = Omit<LanguageEntry, 'id' | 'scope'>;

export function code(id: string, names: LanguageNames): LanguageEntry {
  return { id, scope: 'code', ...names };
}

export function docs(id: string, names: LanguageNames): LanguageEntry {
  return { id, scope: 'docs', ...names };
}
