import { cpus } from 'node:os';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { errorMessage } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';

/** Saved states kept; beyond that the longest unused go. */
const STATES_KEPT = 64;

type Entries = Readonly<Record<string, unknown>>;

/** What is written of a state when another process has saved its own under the same key; neither is checked yet. */
type Merge = (own: unknown, other: unknown) => unknown;

/** What was learned about this machine, in a JSON file shared by its processes. */
export class LearnedFile {
  readonly #file: string | null;
  readonly #logger: Logger;
  readonly #merge: Merge;
  /** By key, what this process last read or wrote, as JSON: anything else that is there is another's. */
  readonly #known = new Map<string, string>();
  /** By key, what another process saved last. */
  readonly #others = new Map<string, unknown>();
  #writing: Promise<void> = Promise.resolve();

  /** Keeps nothing when `file` is null. Without `merge` the last to write an entry wins. */
  constructor(file: string | null, logger: Logger, merge: Merge = (own) => own) {
    this.#file = file;
    this.#logger = logger;
    this.#merge = merge;
  }

  /** What was saved under the key, not checked yet; undefined when nothing was, or it can't be read. */
  async read(key: string): Promise<unknown> {
    const saved = (await this.#entries())[key];
    if (saved !== undefined) this.#known.set(key, JSON.stringify(saved));
    return saved;
  }

  /** Saves under the keys. Resolves when written; a failure costs only what was learned, and is logged. */
  save(states: Entries): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write(states));
    return this.#writing;
  }

  async #entries(): Promise<Entries> {
    if (this.#file === null) return {};
    try {
      const parsed: unknown = JSON.parse(await readFile(this.#file, 'utf8'));
      return typeof parsed === 'object' && parsed !== null ? (parsed as Entries) : {};
    } catch {
      // Not there yet, or cut off by a crash of the disk: learning starts again.
      return {};
    }
  }

  async #write(states: Entries): Promise<void> {
    if (this.#file === null) return;
    try {
      const saved = await this.#entries();
      const others = Object.entries(saved).filter(([key]) => !Object.hasOwn(states, key));
      const own = Object.entries(states).map(([key, state]): [string, unknown] => [
        key,
        this.#merged(key, state, saved[key]),
      ]);
      const entries = Object.fromEntries([...others, ...own].slice(-STATES_KEPT));
      await mkdir(path.dirname(this.#file), { recursive: true });
      const fresh = `${this.#file}.${process.pid}.tmp`;
      await writeFile(fresh, JSON.stringify(entries));
      await rename(fresh, this.#file);
      for (const [key, state] of own) this.#known.set(key, JSON.stringify(state));
    } catch (error) {
      this.#logger.warn('what was learned could not be saved', { message: errorMessage(error) });
    }
  }

  /** What another process saved counts from then on: this one writes over it again and again. */
  #merged(key: string, state: unknown, saved: unknown): unknown {
    if (saved !== undefined && JSON.stringify(saved) !== this.#known.get(key)) this.#others.set(key, saved);
    return this.#others.has(key) ? this.#merge(state, this.#others.get(key)) : state;
  }
}

/** Stands for this machine in a key: another processor, or another share of it, is another machine. */
export function machineName(threads: number): string {
  return `${process.platform}-${process.arch} ${cpus()[0]?.model.trim() ?? 'unknown'} ×${threads}`;
}
