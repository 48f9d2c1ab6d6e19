import { BUILD_LANGUAGES } from './languageTables/buildLanguages.ts';
import type { LanguageEntry } from './languageTables/languageEntry.ts';
import { MARKUP_LANGUAGES } from './languageTables/markupLanguages.ts';
import { PROGRAMMING_LANGUAGES } from './languageTables/programmingLanguages.ts';
import { PROSE_LANGUAGES } from './languageTables/proseLanguages.ts';

/** Every language there is; no name or ending is in it twice. */
export const LANGUAGES: readonly LanguageEntry[] = [
  ...PROGRAMMING_LANGUAGES,
  ...MARKUP_LANGUAGES,
  ...BUILD_LANGUAGES,
  ...PROSE_LANGUAGES,
];
