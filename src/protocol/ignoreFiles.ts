/** Ignore files of one folder, weakest first. `.tesseraignore` and `.ignore` are no business of git's and ours to order. */
export const IGNORE_FILES = ['.gitignore', '.ignore', '.tesseraignore'] as const;
export type IgnoreFileName = (typeof IGNORE_FILES)[number];
