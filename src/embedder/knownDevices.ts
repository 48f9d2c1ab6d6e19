import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { isCount, isRecord } from '../embedding/jsonFacts.ts';
import { LearnedFile, machineName } from '../process/learnedFile.ts';
import { EXECUTION_PROVIDERS, type ExecutionProvider } from '../protocol/embedder.ts';

/** Beside the tuners' file, and not in it: that one is written all the time. */
const DEVICES_FILE = 'devices.json';
/** Drivers, other load and this program change: after so long the devices are compared again. */
const VALID_MS = 14 * 24 * 60 * 60 * 1000;

/** What `auto` comes to. */
export interface KnownDevice {
  readonly provider: ExecutionProvider;
  /** Why it is not another one; null where none was passed over for a fault. */
  readonly fallbackReason: string | null;
}

/** The device `auto` found to be best for a model on this machine: opening and timing all of them takes seconds that a first search waits for. */
export class KnownDevices {
  readonly #file: LearnedFile;
  readonly #clock: Pick<Clock, 'wallTime'>;

  /** Keeps nothing when `tunerStateFile` is null. */
  constructor(tunerStateFile: string | null, clock: Pick<Clock, 'wallTime'>, logger: Logger) {
    const file = tunerStateFile === null ? null : path.join(path.dirname(tunerStateFile), DEVICES_FILE);
    this.#file = new LearnedFile(file, logger);
    this.#clock = clock;
  }

  /** What `choose` comes to for a graph on so many threads; it is told what it came to before, if it did lately. */
  async remembering<T extends KnownDevice>(
    graphFile: string,
    threads: number,
    choose: (known: KnownDevice | undefined) => Promise<T>,
  ): Promise<T> {
    const key = await keyOf(graphFile, threads);
    const known = await this.#read(key);
    const choice = await choose(known);
    if (choice.provider !== known?.provider) await this.#save(key, choice);
    return choice;
  }

  async #read(key: string): Promise<KnownDevice | undefined> {
    const saved = await this.#file.read(key);
    if (!isRecord(saved)) return undefined;
    const { fallbackReason, atMs } = saved;
    const provider = EXECUTION_PROVIDERS.find((name) => name === saved['provider']);
    if (provider === undefined || !isCount(atMs) || !(fallbackReason === null || typeof fallbackReason === 'string'))
      return undefined;
    const ageMs = this.#clock.wallTime() - atMs;
    return ageMs >= 0 && ageMs <= VALID_MS ? { provider, fallbackReason } : undefined;
  }

  #save(key: string, { provider, fallbackReason }: KnownDevice): Promise<void> {
    const atMs = Math.round(this.#clock.wallTime());
    return this.#file.save({ [key]: { provider, fallbackReason, atMs } });
  }
}

/** Another file in the same place is another graph. */
async function keyOf(graphFile: string, threads: number): Promise<string> {
  const { size, mtimeMs } = await stat(graphFile).catch(() => ({ size: 0, mtimeMs: 0 }));
  return ['device', machineName(threads), graphFile, size, mtimeMs].join('|');
}
