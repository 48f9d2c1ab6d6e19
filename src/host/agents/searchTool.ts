import * as vscode from 'vscode';
import { TesseraError } from '../../base/errors.ts';
import type { SearchFilters } from '../../protocol/hit.ts';
import { abortSignalOf } from '../interop.ts';
import { explainError } from '../messages.ts';
import type { WorkspaceIndex } from '../folders/workspaceIndex.ts';
import { addressFilters, alsoExcluding, escapeGlob } from '../searching/filterText.ts';
import type { SearchService } from '../searching/searchService.ts';
import { renderHits } from './renderHits.ts';

export const SEARCH_TOOL_NAME = 'tessera_search_code';
const DEFAULT_LIMIT = 10;
const MAX_LIMIT = 50;
/** When the model does not say how much it can take. */
const DEFAULT_TOKEN_BUDGET = 6000;
/** A cheap bound for models that do not count: code has at least three characters a token. */
const CHARS_PER_TOKEN = 3;

/** The same search for agents: best chunks first, cut to the tokens the model has room for. */
export class SearchTool implements vscode.LanguageModelTool<unknown> {
  readonly #search: SearchService;
  readonly #workspace: WorkspaceIndex;

  constructor(search: SearchService, workspace: WorkspaceIndex) {
    this.#search = search;
    this.#workspace = workspace;
  }

  prepareInvocation(options: vscode.LanguageModelToolInvocationPrepareOptions<unknown>): vscode.PreparedToolInvocation {
    const { query } = readInput(options.input);
    return {
      invocationMessage: vscode.l10n.t('Searching by meaning for “{0}”', query),
      confirmationMessages: {
        title: vscode.l10n.t('Search this workspace by meaning'),
        message: new vscode.MarkdownString().appendText(
          vscode.l10n.t(
            'Tessera searches its index on this machine for “{0}” and hands the source text it finds to the language model.',
            query,
          ),
        ),
      },
    };
  }

  async invoke(
    { input, tokenizationOptions }: vscode.LanguageModelToolInvocationOptions<unknown>,
    token: vscode.CancellationToken,
  ): Promise<vscode.LanguageModelToolResult> {
    const { query, filters, limit } = readInput(input);
    const { folderNames } = this.#workspace;
    const asWritten = {
      ...filters,
      include: asAddressed(filters.include, folderNames),
      exclude: asAddressed(filters.exclude, folderNames),
    };
    const addressed = alsoExcluding(addressFilters(asWritten, folderNames), this.#search.hiddenGlobs());
    try {
      const request = { query, ...addressed, limit, explain: false };
      const answer = await this.#search.search(request, abortSignalOf(token));
      const notSearched = answer.failures.map(
        ({ folder, error }) => `${folderNames.get(folder) ?? folder}: ${explainError(error).message}`,
      );
      const text = await renderHits({ ...answer, notSearched }, folderNames, {
        budget: tokenizationOptions?.tokenBudget ?? DEFAULT_TOKEN_BUDGET,
        count: async (piece) =>
          tokenizationOptions === undefined
            ? Math.ceil(piece.length / CHARS_PER_TOKEN)
            : tokenizationOptions.countTokens(piece, token),
      });
      return new vscode.LanguageModelToolResult([new vscode.LanguageModelTextPart(text)]);
    } catch (error) {
      // The model reads this; it should know what a person would be told.
      throw new Error(explainError(error).message, { cause: error });
    }
  }
}

interface ToolInput {
  readonly query: string;
  readonly filters: SearchFilters;
  readonly limit: number;
}

/** Models send what they like; what does not fit the schema is refused in words a model can act on. */
function readInput(input: unknown): ToolInput {
  const fields = typeof input === 'object' && input !== null ? (input as Record<string, unknown>) : {};
  const { query, scope, limit } = fields;
  if (typeof query !== 'string' || query.trim() === '') {
    throw new TesseraError('invalid-argument', 'Give a non-empty `query`.');
  }
  return {
    query,
    limit: typeof limit === 'number' && limit >= 1 ? Math.min(MAX_LIMIT, Math.floor(limit)) : DEFAULT_LIMIT,
    filters: {
      scope: scope === 'code' || scope === 'docs' ? scope : 'all',
      include: strings(fields['include']),
      exclude: strings(fields['exclude']),
      languages: strings(fields['languages']),
    },
  };
}

/** With several folders results are named `folder/path`, which a model may give back as a glob. */
function asAddressed(globs: readonly string[], folderNames: ReadonlyMap<string, string>): readonly string[] {
  return globs.map((glob) => {
    const name = [...folderNames.values()].find((candidate) => `${glob}/`.startsWith(`${candidate}/`));
    return name === undefined ? glob : `./${escapeGlob(name)}${glob.slice(name.length)}`;
  });
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value)
    ? value.filter((entry): entry is string => typeof entry === 'string' && entry !== '')
    : [];
}
