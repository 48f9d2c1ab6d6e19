import assert from 'node:assert/strict';
import { writeFile as writeToDisk, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as vscode from 'vscode';

export interface Found {
  /** Folder-relative. */
  readonly path: string;
  readonly startLine: number;
  readonly endLine: number;
  /** The hit's text; empty for hits named only. */
  readonly text: string;
}

/** Absolute path of the folder under test. */
export function folder(): string {
  const first = vscode.workspace.workspaceFolders?.[0];
  assert.ok(first, 'no folder is open');
  return first.uri.fsPath;
}

export function uriOf(path: string): vscode.Uri {
  return vscode.Uri.file(join(folder(), path));
}

/** Asks the installed extension the way an agent does, through the tool it registers; best first. */
export async function search(query: string): Promise<readonly Found[]> {
  return headingsOf(await searchText(query));
}

/** The hits named in an answer of the tool. */
export function headingsOf(text: string): readonly Found[] {
  const headings = [...text.matchAll(/^(\S.*?):(\d+)-(\d+)(?: \(.*\))?$/gm)];
  return headings.map((heading, at) => ({
    path: heading[1] ?? '',
    startLine: Number(heading[2]),
    endLine: Number(heading[3]),
    text: text.slice(heading.index + heading[0].length, headings[at + 1]?.index ?? text.length),
  }));
}

/** What the tool answers a language model with. */
export async function searchText(query: string): Promise<string> {
  const result = await vscode.lm.invokeTool('tessera_search_code', {
    input: { query, limit: 50 },
    toolInvocationToken: undefined,
  });
  return result.content.map((part) => (part instanceof vscode.LanguageModelTextPart ? part.value : '')).join('');
}

/** Asks until the answer is as wanted. Fails with the last answer when that takes too long. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T>,
  isWanted: (answer: T) => boolean,
  deadlineMs = 120_000,
): Promise<T> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (isWanted(answer)) return answer;
    if (performance.now() > deadline) {
      assert.fail(`${what}: not within ${deadlineMs} ms; last answer: ${JSON.stringify(answer)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Waits until the best hit of a query is in a file. */
export async function untilBestHit(query: string, path: string): Promise<Found> {
  const found = await eventually(
    `${path} is the best hit of "${query}"`,
    () => search(query),
    ([best]) => best?.path === path,
  );
  return found[0]!;
}

/** Waits until no hit of a query is in a file. */
export async function untilNotFound(query: string, path: string): Promise<void> {
  await eventually(
    `${path} is no hit of "${query}"`,
    () => search(query),
    (hits) => hits.every((hit) => hit.path !== path),
  );
}

/** Writes a file past the editor, as another program would. */
export async function writeOnDisk(path: string, text: string): Promise<void> {
  const file = join(folder(), path);
  await mkdir(dirname(file), { recursive: true });
  await writeToDisk(file, text);
}
