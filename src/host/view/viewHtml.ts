/** Addresses a view's document loads from, already in the form the webview understands. */
export interface ViewDocument {
  readonly language: string;
  readonly title: string;
  readonly cspSource: string;
  /** Fresh for every document. */
  readonly nonce: string;
  readonly script: string;
  readonly styles: readonly string[];
}

/**
 * The document of a view: an empty body, one script of ours, style sheets of ours. Nothing a file or a person wrote goes
 * in here; the script draws with text nodes alone.
 */
export function viewHtml({ language, title, cspSource, nonce, script, styles }: ViewDocument): string {
  const policy = [
    "default-src 'none'",
    `style-src ${cspSource}`,
    `font-src ${cspSource}`,
    `script-src 'nonce-${nonce}'`,
  ].join('; ');
  return `<!DOCTYPE html>
<html lang="${escapeAttribute(language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapeAttribute(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeAttribute(title)}</title>
${styles.map((href) => `<link rel="stylesheet" href="${escapeAttribute(href)}">`).join('\n')}
</head>
<body>
<script nonce="${nonce}" src="${escapeAttribute(script)}"></script>
</body>
</html>`;
}

function escapeAttribute(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}
