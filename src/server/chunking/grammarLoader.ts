import { readFile } from 'node:fs/promises';
import { Language } from 'web-tree-sitter';
import { errorMessage } from '../../base/errors.ts';
import { GRAMMARS, type Grammar } from '../../indexing/chunking/grammarTable.ts';
import {
  compileParserRuntime,
  grammarPath,
  type ParserRuntime,
  startParserRuntime,
  type WasmMemory,
} from './parserRuntime.ts';

export interface GrammarLoaderOptions {
  /** Holds the files the build copied; without it they are taken from node_modules. */
  readonly folder?: string | undefined;
  /** Compiled beforehand by whoever started this thread; without it, it is compiled here. */
  readonly runtime?: ParserRuntime | undefined;
  readonly onProblem: (grammar: string, error: string) => void;
}

/** Loads grammars, each on first use. A grammar stays loaded: web-tree-sitter cannot unload one. */
export class GrammarLoader {
  readonly #options: GrammarLoaderOptions;
  readonly #languages = new Map<string, Promise<Language | undefined>>();
  #memory: WasmMemory | undefined;
  #runtime: Promise<void> | undefined;

  constructor(options: GrammarLoaderOptions) {
    this.#options = options;
  }

  /** Bytes of the memory grammars and trees live in; it never shrinks. */
  get memoryBytes(): number {
    return this.#memory?.buffer.byteLength ?? 0;
  }

  /** The grammar of a language id; undefined when there is none or it cannot be loaded (which is reported once). */
  load(languageId: string): Promise<Language | undefined> {
    const grammar = Object.hasOwn(GRAMMARS, languageId) ? GRAMMARS[languageId] : undefined;
    if (grammar === undefined) return Promise.resolve(undefined);
    let language = this.#languages.get(grammar.wasm);
    if (language === undefined) {
      language = this.#read(grammar);
      this.#languages.set(grammar.wasm, language);
    }
    return language;
  }

  async #read(grammar: Grammar): Promise<Language | undefined> {
    const { folder, onProblem } = this.#options;
    try {
      await (this.#runtime ??= this.#startRuntime());
      return await Language.load(await readFile(grammarPath(folder, grammar.package, grammar.file, grammar.wasm)));
    } catch (error) {
      onProblem(grammar.wasm, errorMessage(error));
      return undefined;
    }
  }

  async #startRuntime(): Promise<void> {
    const { folder, runtime } = this.#options;
    this.#memory = await startParserRuntime(runtime ?? (await compileParserRuntime(folder)));
  }
}
