import * as vscode from 'vscode';
import { Disposable } from '../../base/disposable.ts';
import type { OpenMode } from '../../protocol/view.ts';

/** Lines of a document, from 1, both ends included. */
export interface LineRange {
  readonly startLine: number;
  readonly endLine: number;
  /** Where the cursor goes; within the range. */
  readonly bestLine: number;
}

/** Opens hits in editors and marks their lines until the person moves on. */
export class HitEditor extends Disposable {
  readonly #decoration = this.own(
    vscode.window.createTextEditorDecorationType({
      backgroundColor: new vscode.ThemeColor('editor.rangeHighlightBackground'),
      borderColor: new vscode.ThemeColor('editor.rangeHighlightBorder'),
      borderStyle: 'solid',
      borderWidth: '0',
      isWholeLine: true,
      overviewRulerColor: new vscode.ThemeColor('editorOverviewRuler.rangeHighlightForeground'),
      overviewRulerLane: vscode.OverviewRulerLane.Full,
    }),
  );
  #marked: vscode.TextEditor | undefined;

  constructor() {
    super();
    this.own(
      vscode.window.onDidChangeTextEditorSelection(({ textEditor, kind }) => {
        // The selection this class itself makes has no kind.
        if (textEditor === this.#marked && kind !== undefined) this.clear();
      }),
    );
  }

  /** @throws Error VS Code's own, when the document cannot be opened. */
  async open(uri: vscode.Uri, range: LineRange, mode: OpenMode): Promise<vscode.TextEditor> {
    const document = await vscode.workspace.openTextDocument(uri);
    const lines = clamp(document, range);
    const cursor = new vscode.Position(lines.best, document.lineAt(lines.best).firstNonWhitespaceCharacterIndex);
    const editor = await vscode.window.showTextDocument(document, {
      preserveFocus: mode === 'preview',
      preview: mode !== 'pin',
      viewColumn: mode === 'side' ? vscode.ViewColumn.Beside : vscode.ViewColumn.Active,
      selection: new vscode.Range(cursor, cursor),
    });
    const whole = new vscode.Range(lines.first, 0, lines.last, document.lineAt(lines.last).text.length);
    this.clear();
    editor.setDecorations(this.#decoration, [whole]);
    this.#marked = editor;
    editor.revealRange(new vscode.Range(cursor, cursor), vscode.TextEditorRevealType.InCenterIfOutsideViewport);
    return editor;
  }

  /** Takes the marks away. */
  clear(): void {
    this.#marked?.setDecorations(this.#decoration, []);
    this.#marked = undefined;
  }
}

/** The range in lines from 0 within the document, which may have become shorter since it was indexed. */
function clamp(document: vscode.TextDocument, { startLine, endLine, bestLine }: LineRange) {
  const within = (line: number) => Math.min(Math.max(line - 1, 0), document.lineCount - 1);
  return { first: within(startLine), last: within(endLine), best: within(bestLine) };
}
