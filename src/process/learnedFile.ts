import { cpus } from 'node:os';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { errorMessage } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';

/** Saved states kept; beyond that the longest unused go. */
const STATES_KEPT = 64;

type Entries = Readonly<Record<string, unknown>>;

/** What was learned about this machine, in a JSON file shared by its processes. The last to write an entry wins. */
export class LearnedFile {
  readonly #file: string | null;
  readonly #logger: Logger;
  #writing: Promise<void> = Promise.resolve();

  /** Keeps nothing when `file` is null. */
  constructor(file: string | null, logger: Logger) {
    this.#file = file;
    this.#logger = logger;
  }

  /** What was saved under the key, not checked yet; undefined when nothing was, or it can't be read. */
  async read(key: string): Promise<unknown> {
    return (await this.#entries())[key];
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
      const others = Object.entries(await this.#entries()).filter(([key]) => !Object.hasOwn(states, key));
      const entries = Object.fromEntries([...others, ...Object.entries(states)].slice(-STATES_KEPT));
      await mkdir(path.dirname(this.#file), { recursive: true });
      const fresh = `${this.#file}.${process.pid}.tmp`;
      await writeFile(fresh, JSON.stringify(entries));
      await rename(fresh, this.#file);
    } catch (error) {
      this.#logger.warn('what was learned could not be saved', { message: errorMessage(error) });
    }
  }
}

/** Stands for this machine in a key: another processor, or another share of it, is another machine. */
export function machineName(threads: number): string {
  return `${process.platform}-${process.arch} ${cpus()[0]?.model.trim() ?? 'unknown'} ×${threads}`;
}
