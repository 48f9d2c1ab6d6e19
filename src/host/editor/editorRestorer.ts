import * as vscode from 'vscode';

/** VS Code tells of a new tab a moment after its editor is shown; longer than this it is not coming. */
const TAB_TOLD_WITHIN_MS = 1_000;

/** Remembers where the person was, and brings them back there after looking at previews. */
export class EditorRestorer {
  readonly #origin = originOf(vscode.window.activeTextEditor);
  readonly #openBefore = new Set(openTabs().map(({ uri }) => uri.toString()));
  readonly #previewed = new Set<string>();
  #lastPreview: string | undefined;

  /** To be called before a document is shown as a preview. */
  willPreview(uri: vscode.Uri): void {
    const key = uri.toString();
    this.#lastPreview = key;
    if (!this.#openBefore.has(key)) this.#previewed.add(key);
  }

  /** Closes what was only previewed and shows the editor, selection and scroll position from before. */
  async restore(): Promise<void> {
    await this.#untilTabIsKnown();
    const tabs = openTabs().filter(({ uri, tab }) => tab.isPreview && this.#previewed.has(uri.toString()));
    if (tabs.length > 0) await vscode.window.tabGroups.close(tabs.map(({ tab }) => tab));
    if (this.#origin === undefined) return;
    const { document, viewColumn, selection, visible, isPreview } = this.#origin;
    const editor = await vscode.window.showTextDocument(document, {
      ...(viewColumn === undefined ? {} : { viewColumn }),
      selection,
      preview: isPreview,
    });
    if (visible !== undefined) editor.revealRange(visible, vscode.TextEditorRevealType.AtTop);
  }

  /** What is not known to be open cannot be closed. */
  async #untilTabIsKnown(): Promise<void> {
    const key = this.#lastPreview;
    const isKnown = () => key === undefined || openTabs().some(({ uri }) => uri.toString() === key);
    if (isKnown()) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        change.dispose();
        resolve();
      };
      const timer = setTimeout(done, TAB_TOLD_WITHIN_MS);
      const change = vscode.window.tabGroups.onDidChangeTabs(() => {
        if (isKnown()) done();
      });
    });
  }
}

function originOf(editor: vscode.TextEditor | undefined) {
  if (editor === undefined) return undefined;
  const { document, viewColumn, selection, visibleRanges } = editor;
  const isPreview = vscode.window.tabGroups.activeTabGroup.activeTab?.isPreview ?? false;
  return { document, viewColumn, selection, visible: visibleRanges[0], isPreview };
}

function openTabs(): { tab: vscode.Tab; uri: vscode.Uri }[] {
  return vscode.window.tabGroups.all
    .flatMap((group) => group.tabs)
    .flatMap((tab) => (tab.input instanceof vscode.TabInputText ? [{ tab, uri: tab.input.uri }] : []));
}
