import * as vscode from 'vscode';
import { viewHtml } from './viewHtml.ts';

/** One of our pages: a script and style sheets of dist/webview. */
export interface WebviewPage {
  readonly title: string;
  readonly script: string;
  readonly styles: readonly string[];
}

/** Where webviews load from, and nowhere else. */
export function webviewRoot(extensionUri: vscode.Uri): vscode.Uri {
  return vscode.Uri.joinPath(extensionUri, 'dist', 'webview');
}

/** Gives a webview its document; whatever was in it is gone. */
export function loadPage(
  webview: vscode.Webview,
  extensionUri: vscode.Uri,
  { title, script, styles }: WebviewPage,
): void {
  const root = webviewRoot(extensionUri);
  const address = (name: string) => webview.asWebviewUri(vscode.Uri.joinPath(root, name)).toString();
  webview.options = { enableScripts: true, localResourceRoots: [root] };
  webview.html = viewHtml({
    language: vscode.env.language,
    title,
    cspSource: webview.cspSource,
    // Not `node:crypto`: loading it takes longer than the rest of the activation.
    nonce: crypto.randomUUID(),
    script: address(script),
    styles: styles.map(address),
  });
}
