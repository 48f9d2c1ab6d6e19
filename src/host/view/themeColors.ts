import { readFile } from 'node:fs/promises';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { Disposable } from '../../base/disposable.ts';
import { Emitter } from '../../base/event.ts';
import type { Logger } from '../../base/logger.ts';
import type { TokenColors } from '../../protocol/view.ts';
import { parseJsonWithComments, type TokenRule, tokenColorsOf } from './themeRules.ts';

/** How deep a theme's `include` chain is followed. */
const MAX_INCLUDES = 8;

/**
 * Token colours of the person's colour theme. VS Code gives a webview the theme's workbench colours but not those of its
 * syntax, so they are read from the theme's own file; snippets then look as they do in the editor. A theme that cannot be
 * read leaves the view with its fallbacks.
 */
export class ThemeColors extends Disposable {
  readonly #logger: Logger;
  readonly #change = this.own(new Emitter<void>());
  readonly onChange = this.#change.event;
  #current: Promise<TokenColors> | undefined;

  constructor(logger: Logger) {
    super();
    this.#logger = logger;
  }

  start(): void {
    const forget = () => {
      this.#current = undefined;
      this.#change.fire();
    };
    this.own(vscode.window.onDidChangeActiveColorTheme(forget));
    this.own(
      vscode.workspace.onDidChangeConfiguration((change) => {
        if (change.affectsConfiguration('editor.tokenColorCustomizations')) forget();
      }),
    );
  }

  read(): Promise<TokenColors> {
    this.#current ??= this.#load();
    return this.#current;
  }

  async #load(): Promise<TokenColors> {
    try {
      const file = themeFile(activeThemeId());
      this.#logger.debug('colour theme', { file: file ?? null });
      return file === undefined ? {} : tokenColorsOf(await readRules(file, MAX_INCLUDES));
    } catch (error) {
      this.#logger.warn('theme not readable', { message: error instanceof Error ? error.message : String(error) });
      return {};
    }
  }
}

/** Id or label of the theme in use, also when VS Code follows the system's light and dark. */
function activeThemeId(): string | undefined {
  const kind = vscode.window.activeColorTheme.kind;
  const workbench = vscode.workspace.getConfiguration('workbench');
  const window = vscode.workspace.getConfiguration('window');
  const isHighContrast =
    kind === vscode.ColorThemeKind.HighContrast || kind === vscode.ColorThemeKind.HighContrastLight;
  const isLight = kind === vscode.ColorThemeKind.Light || kind === vscode.ColorThemeKind.HighContrastLight;
  if (isHighContrast && window.get<boolean>('autoDetectHighContrast', true)) {
    return workbench.get(isLight ? 'preferredHighContrastLightColorTheme' : 'preferredHighContrastColorTheme');
  }
  if (window.get<boolean>('autoDetectColorScheme', false)) {
    return workbench.get(isLight ? 'preferredLightColorTheme' : 'preferredDarkColorTheme');
  }
  return workbench.get('colorTheme');
}

interface ThemeContribution {
  readonly id?: string;
  readonly label?: string;
  readonly path?: string;
}

function themeFile(id: string | undefined): string | undefined {
  if (id === undefined) return undefined;
  // VS Code dropped the word from the names of its own themes, and still takes settings that have it.
  const names = new Set([id, id.replace(/^Default /, '')]);
  for (const extension of vscode.extensions.all) {
    const { contributes } = extension.packageJSON as { contributes?: { themes?: readonly ThemeContribution[] } };
    const theme = contributes?.themes?.find(({ id: themeId, label }) => names.has(themeId ?? label ?? ''));
    if (theme?.path !== undefined) return path.join(extension.extensionPath, theme.path);
  }
  return undefined;
}

/** The theme's rules, those of the themes it includes first, so that its own win. */
async function readRules(file: string, includesLeft: number): Promise<readonly TokenRule[]> {
  const theme = parseJsonWithComments(await readFile(file, 'utf8')) as {
    include?: string;
    tokenColors?: readonly TokenRule[] | string;
  };
  const included =
    theme.include === undefined || includesLeft === 0
      ? []
      : await readRules(path.join(path.dirname(file), theme.include), includesLeft - 1);
  return Array.isArray(theme.tokenColors) ? [...included, ...(theme.tokenColors as TokenRule[])] : included;
}
