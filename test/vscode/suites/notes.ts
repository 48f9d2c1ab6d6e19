const notes = new Map<string, string>();
let running = '';

/** Names the test that runs now, for what it notes. */
export function beginTest(title: string): void {
  running = title;
}

/** Keeps something worth reading beside a test's result, such as a measured time. */
export function note(text: string): void {
  notes.set(running, text);
}

export function noteOf(title: string): string | null {
  return notes.get(title) ?? null;
}
