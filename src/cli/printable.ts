/** All that moves a cursor, changes colours or renames a window: no file's name or content may do that to a person's terminal. */
const CONTROL = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/g;

/** Text of files as it may be written to a terminal: line ends and tabs stay, other control characters are shown as `\x1b`. */
export function printable(text: string): string {
  return text.replaceAll(CONTROL, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** The same for a name, which stands in one line. */
export function printableName(name: string): string {
  return printable(name).replaceAll('\n', '\\n').replaceAll('\t', '\\t');
}
