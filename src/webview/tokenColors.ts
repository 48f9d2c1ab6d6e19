import { TOKEN_KINDS, type TokenColors } from '../protocol/view.ts';

/** Gives the style sheet the colours the person's theme has for code; what the theme leaves open stays with the sheet. */
export function applyTokenColors(colors: TokenColors): void {
  const { style } = document.documentElement;
  for (const kind of TOKEN_KINDS) {
    const color = colors[kind];
    if (color === undefined) style.removeProperty(`--token-${kind}`);
    else style.setProperty(`--token-${kind}`, color);
  }
}
