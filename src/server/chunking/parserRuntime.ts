import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import v8 from 'node:v8';
import { Parser } from 'web-tree-sitter';

/** The parser that every grammar's tables and lexer are linked with, compiled; threads of one process may share it. */
export type ParserRuntime = object;

/** Declared here because the type library that knows it is the browser's. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}
type WasmImports = Record<string, Record<string, unknown>>;
interface WebAssemblyNamespace {
  readonly Memory: new (pages: { initial: number; maximum: number }) => WasmMemory;
  readonly Instance: new (module: ParserRuntime, imports: WasmImports) => object;
  compile(bytes: Uint8Array): Promise<ParserRuntime>;
}
const { WebAssembly: wasm } = globalThis as unknown as { readonly WebAssembly: WebAssemblyNamespace };

const RUNTIME_FILE = 'tree-sitter.wasm';
const PAGE_BYTES = 65_536;
/** Grammars and trees live in one memory. A file of 1 MB needs about a tenth; broken input can ask for gigabytes. */
const MAX_MEMORY_BYTES = 512 * 1024 * 1024;
const FIRST_MEMORY_BYTES = 32 * 1024 * 1024;
/** Of the buffer the parser reads its text from, less the end mark web-tree-sitter puts there. */
const INPUT_BYTES = 10 * 1024 - 2;

type EmscriptenModule = NonNullable<Parameters<typeof Parser.init>[0]>;
/** What web-tree-sitter makes of the options it is started with. */
interface RuntimeModule {
  currentParseCallback?: (index: number, position: { row: number; column: number }) => unknown;
}
/** Addresses are those of the memory; `index` and the length are UTF-16 code units. */
type ParseCallback = (buffer: number, index: number, row: number, column: number, length: number) => void;

/** Where a file of a grammar package is: `folder` holds the files the build copied; without it they are in node_modules. */
export function grammarPath(folder: string | undefined, packageName: string, file: string, copied: string): string {
  if (folder !== undefined) return join(folder, copied);
  return createRequire(import.meta.url).resolve(`${packageName}/${file}`);
}

/**
 * Compiles the parser so that V8 may optimise what turns out to be hot (it parses 1.3 to 1.8 times as fast then), and sees to it
 * that nothing loaded into this process later is: V8's optimising compiler needs gigabytes for the lexers some grammars compile to (Swift's
 * ends the process with "Fatal process out of memory: Zone", C++ and Kotlin peak at 0.4 to 1.2 GB), and optimised small ones
 * gain nothing that can be measured. V8 decides when a function is first compiled, hence all of them at once, and has the switch
 * for the whole process: call it before any thread that loads grammars is started.
 */
export async function compileParserRuntime(folder: string | undefined): Promise<ParserRuntime> {
  const bytes = await readFile(grammarPath(folder, 'web-tree-sitter', RUNTIME_FILE, RUNTIME_FILE));
  // V8 compiles on threads of its own, for which Node does not wait before it ends.
  const alive = setInterval(() => undefined, 1000);
  try {
    setFlags('--wasm-tier-up', '--wasm-dynamic-tiering', '--no-wasm-lazy-compilation');
    return await wasm.compile(bytes);
  } finally {
    clearInterval(alive);
    // Either of the first two alone changes nothing.
    setFlags('--no-wasm-tier-up', '--no-wasm-dynamic-tiering', '--wasm-lazy-compilation');
  }
}

function setFlags(...flags: readonly string[]): void {
  for (const flag of flags) v8.setFlagsFromString(flag);
}

/** Makes this thread's parsers use the runtime, of which web-tree-sitter keeps one per thread. Returns the memory they work in. */
export async function startParserRuntime(runtime: ParserRuntime): Promise<WasmMemory> {
  const memory = new wasm.Memory({
    initial: FIRST_MEMORY_BYTES / PAGE_BYTES,
    maximum: MAX_MEMORY_BYTES / PAGE_BYTES,
  });
  const options: Record<string, unknown> & RuntimeModule = {
    wasmMemory: memory,
    // "Aborted()" would go to stderr; the exception that follows says the same.
    printErr: () => undefined,
    instantiateWasm: (imports: WasmImports, receive: (instance: object, module: ParserRuntime) => void) => {
      handTextOverAtOnce(imports, options, memory);
      receive(new wasm.Instance(runtime, imports), runtime);
      return {};
    },
  };
  await Parser.init(options as EmscriptenModule);
  return memory;
}

/**
 * web-tree-sitter copies the text it hands to the parser one character after the other, and a parser that goes back asks for the
 * same text again: 14 times each character over six repositories, a fifth of all parsing. Node copies a piece of it in one go.
 */
function handTextOverAtOnce(imports: WasmImports, module: RuntimeModule, memory: WasmMemory): void {
  const environment = imports['env'] ?? {};
  let bytes = Buffer.from(memory.buffer);
  const parseCallback: ParseCallback = (buffer, index, row, column, length) => {
    // A memory that has grown is another buffer, and the old one is empty.
    if (bytes.length === 0) bytes = Buffer.from(memory.buffer);
    const text = module.currentParseCallback?.(index, { row, column });
    const units = typeof text === 'string' ? bytes.write(text, buffer, INPUT_BYTES, 'utf16le') / 2 : 0;
    bytes.writeInt32LE(units, length);
  };
  environment['tree_sitter_parse_callback'] = parseCallback;
}
