import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import v8 from 'node:v8';
import { Language, Parser } from 'web-tree-sitter';
import { errorMessage } from '../../base/errors.ts';
import { GRAMMARS, type Grammar } from '../../indexing/chunking/grammarTable.ts';

const RUNTIME_FILE = 'tree-sitter.wasm';
const PAGE_BYTES = 65_536;
/** Grammars and trees live in one memory. A file of 1 MB needs about a tenth; broken input can ask for gigabytes. */
const MAX_MEMORY_BYTES = 512 * 1024 * 1024;
const FIRST_MEMORY_BYTES = 32 * 1024 * 1024;

/** Declared here because the type library that knows it is the browser's. */
interface WasmMemory {
  readonly buffer: ArrayBuffer;
}
const { WebAssembly: wasm } = globalThis as unknown as {
  readonly WebAssembly: { readonly Memory: new (pages: { initial: number; maximum: number }) => WasmMemory };
};
type EmscriptenModule = NonNullable<Parameters<typeof Parser.init>[0]>;

/** Loads grammars, each on first use. A grammar stays loaded: web-tree-sitter cannot unload one. */
export class GrammarLoader {
  readonly #folder: string | undefined;
  readonly #onProblem: (grammar: string, error: string) => void;
  readonly #languages = new Map<string, Promise<Language | undefined>>();
  readonly #memory: WasmMemory = new wasm.Memory({
    initial: FIRST_MEMORY_BYTES / PAGE_BYTES,
    maximum: MAX_MEMORY_BYTES / PAGE_BYTES,
  });
  #runtime: Promise<void> | undefined;

  /** `folder` holds the files the build copied; without it they are taken from node_modules. */
  constructor(folder: string | undefined, onProblem: (grammar: string, error: string) => void) {
    this.#folder = folder;
    this.#onProblem = onProblem;
  }

  /** Bytes of the memory grammars and trees live in; it never shrinks. */
  get memoryBytes(): number {
    return this.#memory.buffer.byteLength;
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
    try {
      await (this.#runtime ??= this.#startRuntime());
      return await Language.load(await readFile(this.#pathOf(grammar.package, grammar.file, grammar.wasm)));
    } catch (error) {
      this.#onProblem(grammar.wasm, errorMessage(error));
      return undefined;
    }
  }

  /** web-tree-sitter's runtime is one per thread. */
  async #startRuntime(): Promise<void> {
    // V8's optimising compiler needs gigabytes for the lexers some grammars compile to (Swift's ends the process with
    // "Fatal process out of memory: Zone", C++ and Kotlin peak at 0.4 to 1.2 GB) and competes with the embedder for the
    // cores; the baseline compiler alone needs 0.1 GB and parsed at a third to all of the speed, by language. Either flag
    // alone changes nothing.
    v8.setFlagsFromString('--no-wasm-tier-up');
    v8.setFlagsFromString('--no-wasm-dynamic-tiering');
    const options: Record<string, unknown> = {
      locateFile: () => this.#pathOf('web-tree-sitter', RUNTIME_FILE, RUNTIME_FILE),
      wasmMemory: this.#memory,
      // "Aborted()" would go to stderr; the exception that follows says the same.
      printErr: () => undefined,
    };
    await Parser.init(options as EmscriptenModule);
  }

  #pathOf(packageName: string, file: string, copied: string): string {
    if (this.#folder !== undefined) return join(this.#folder, copied);
    return createRequire(import.meta.url).resolve(`${packageName}/${file}`);
  }
}
