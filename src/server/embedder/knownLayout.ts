import path from 'node:path';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import { isCount, isRecord } from '../../embedding/jsonFacts.ts';
import { LearnedFile, machineName } from '../../process/learnedFile.ts';
import type { ModelInfo } from '../../protocol/embedder.ts';
import type { Scope } from '../../protocol/scope.ts';
import { DIRECTIONS, type Direction, type Layout } from './layout.ts';

/** Beside the tuners' file, and not in it: the embedder processes write that one all the time. */
const LAYOUTS_FILE = 'layouts.json';

/** Drivers, other load and this program change: after so long it is found out anew. */
const VALID_MS = 30 * 24 * 60 * 60 * 1000;

type Models = Readonly<Record<Scope, ModelInfo>>;

/** What was found to be best for bulk work so far, and what is to be compared with it yet. */
export interface KnownLayout {
  readonly layout: Layout;
  readonly untried: readonly Direction[];
}

/** That of each machine and models. */
export class KnownLayouts {
  readonly #file: LearnedFile;
  readonly #machine: string;
  readonly #clock: Pick<Clock, 'wallTime'>;

  /** Keeps nothing when `tunerStateFile` is null. `areChosen` says that a person has set how many threads there are. */
  constructor(
    tunerStateFile: string | null,
    { threads, areChosen }: { readonly threads: number; readonly areChosen: boolean },
    clock: Pick<Clock, 'wallTime'>,
    logger: Logger,
  ) {
    const file = tunerStateFile === null ? null : path.join(path.dirname(tunerStateFile), LAYOUTS_FILE);
    this.#file = new LearnedFile(file, logger);
    this.#clock = clock;
    this.#machine = machineName(threads) + (areChosen ? ' chosen' : '');
  }

  /** Null when nothing was found out yet. */
  async read(models: Models): Promise<KnownLayout | null> {
    const saved = await this.#file.read(this.#key(models));
    if (!isRecord(saved)) return null;
    const { sessions, threads, untried, atMs } = saved;
    if (!isCount(sessions) || !isCount(threads) || sessions < 1 || threads < sessions) return null;
    if (!Array.isArray(untried) || !isCount(atMs)) return null;
    const ageMs = this.#clock.wallTime() - atMs;
    if (ageMs < 0 || ageMs > VALID_MS) return null;
    return { layout: { sessions, threads }, untried: DIRECTIONS.filter((direction) => untried.includes(direction)) };
  }

  save(models: Models, { layout, untried }: KnownLayout): Promise<void> {
    const atMs = Math.round(this.#clock.wallTime());
    return this.#file.save({ [this.#key(models)]: { ...layout, untried, atMs } });
  }

  #key({ code, docs }: Models): string {
    return ['layout', this.#machine, code.device, code.id, docs.id].join('|');
  }
}
