import * as vscode from 'vscode';
import type { OpenMode } from '../../protocol/view.ts';
import type { HitEditor } from '../editor/hitEditor.ts';
import { passageOf } from '../searching/passageLines.ts';
import type { SearchService } from '../searching/searchService.ts';
import type { ShownAnswer } from './shownAnswer.ts';

/** What a person does with a hit of the answer that is shown. A hit that is no longer shown does nothing. */
export class HitActions {
  readonly #search: Pick<SearchService, 'uriOf'>;
  readonly #editor: Pick<HitEditor, 'open'>;
  readonly #shown: () => ShownAnswer | undefined;

  constructor(
    search: Pick<SearchService, 'uriOf'>,
    editor: Pick<HitEditor, 'open'>,
    shown: () => ShownAnswer | undefined,
  ) {
    this.#search = search;
    this.#editor = editor;
    this.#shown = shown;
  }

  /** @param line where the cursor goes, from 1; null takes the line that answers best */
  async open(id: string, mode: OpenMode, line: number | null): Promise<void> {
    const hit = this.#shown()?.hit(id);
    if (hit === undefined) return;
    const { startLine, endLine } = hit;
    const bestLine = line ?? this.#shown()?.viewHit(id)?.bestLine ?? startLine;
    await this.#editor.open(this.#search.uriOf(hit), { startLine, endLine, bestLine }, mode);
  }

  async findSimilar(id: string): Promise<void> {
    const hit = this.#shown()?.hit(id);
    if (hit === undefined) return;
    await vscode.commands.executeCommand('tessera.findSimilar', this.#search.uriOf(hit), hit.startLine);
  }

  async copy(id: string): Promise<void> {
    const hit = this.#shown()?.hit(id);
    if (hit !== undefined) await vscode.env.clipboard.writeText(passageOf(hit).text);
  }

  async copyPath(fileKey: string, relative: boolean): Promise<void> {
    const hit = this.#shown()?.hitIn(fileKey);
    if (hit === undefined) return;
    await vscode.env.clipboard.writeText(relative ? hit.path : this.#search.uriOf(hit).fsPath);
  }
}
