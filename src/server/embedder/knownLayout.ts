import path from 'node:path';
import type { Logger } from '../../base/logger.ts';
import { LearnedFile, machineName } from '../../process/learnedFile.ts';
import type { ModelInfo } from '../../protocol/embedder.ts';
import type { Scope } from '../../protocol/scope.ts';

/** Beside the tuners' file, and not in it: the embedder processes write that one all the time. */
const LAYOUTS_FILE = 'layouts.json';

type Models = Readonly<Record<Scope, ModelInfo>>;

/** How many processes were found to be best for bulk work, by machine and models. */
export class KnownLayout {
  readonly #file: LearnedFile;
  readonly #threads: number;

  /** Keeps nothing when `tunerStateFile` is null. */
  constructor(tunerStateFile: string | null, threads: number, logger: Logger) {
    const file = tunerStateFile === null ? null : path.join(path.dirname(tunerStateFile), LAYOUTS_FILE);
    this.#file = new LearnedFile(file, logger);
    this.#threads = threads;
  }

  /** Null when nothing was found out yet. */
  async read(models: Models): Promise<number | null> {
    const saved = await this.#file.read(this.#key(models));
    if (typeof saved !== 'object' || saved === null || !('sessions' in saved)) return null;
    const { sessions } = saved;
    return typeof sessions === 'number' && Number.isInteger(sessions) && sessions >= 1 ? sessions : null;
  }

  save(models: Models, sessions: number): Promise<void> {
    return this.#file.save({ [this.#key(models)]: { sessions } });
  }

  #key({ code, docs }: Models): string {
    return ['layout', machineName(this.#threads), code.device, code.id, docs.id].join('|');
  }
}
