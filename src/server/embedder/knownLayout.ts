import path from 'node:path';
import type { Logger } from '../../base/logger.ts';
import { isCount, isRecord } from '../../embedding/jsonFacts.ts';
import { LearnedFile, machineName } from '../../process/learnedFile.ts';
import type { ModelInfo } from '../../protocol/embedder.ts';
import type { Scope } from '../../protocol/scope.ts';
import type { Layout } from './layout.ts';

/** Beside the tuners' file, and not in it: the embedder processes write that one all the time. */
const LAYOUTS_FILE = 'layouts.json';

type Models = Readonly<Record<Scope, ModelInfo>>;

/** What was found to be best for bulk work, by machine and models. */
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
  async read(models: Models): Promise<Layout | null> {
    const saved = await this.#file.read(this.#key(models));
    if (!isRecord(saved)) return null;
    const { sessions, threads } = saved;
    if (!isCount(sessions) || !isCount(threads) || sessions < 1 || threads < sessions) return null;
    return { sessions, threads };
  }

  save(models: Models, { sessions, threads }: Layout): Promise<void> {
    return this.#file.save({ [this.#key(models)]: { sessions, threads } });
  }

  #key({ code, docs }: Models): string {
    return ['layout', machineName(this.#threads), code.device, code.id, docs.id].join('|');
  }
}
