import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { isCount, isRecord } from '../embedding/jsonFacts.ts';
import { LearnedFile, machineName } from '../process/learnedFile.ts';
import { EXECUTION_PROVIDERS, type ExecutionProvider } from '../protocol/embedder.ts';

/** Beside the tuners' file, and not in it: that one is written all the time. */
const DEVICES_FILE = 'devices.json';
/** Drivers and other load change: after so long the devices are compared again. */
const VALID_MS = 3 * 24 * 60 * 60 * 1000;
/** So many trials of a device that did not come to an end, and it is taken for the reason. */
const MOST_ENDS = 2;

/** What `auto` comes to. */
export interface KnownDevice {
  readonly provider: ExecutionProvider;
  /** Why it is not another one; null where none was passed over for a fault. */
  readonly fallbackReason: string | null;
}

/** What is known of the devices of this machine for a model, while they are compared. */
export interface DeviceLog {
  /** What they came to before; undefined when that is not known, or too long ago. */
  readonly known: KnownDevice | undefined;
  /** Devices that the process ended over again and again. */
  readonly suspects: readonly ExecutionProvider[];
  /** To be called before a device is opened: its driver may end the process. */
  begin(provider: ExecutionProvider): Promise<void>;
  end(provider: ExecutionProvider): Promise<void>;
}

/** Where graphs are looked for on devices: in this file, with so many threads, on these providers of this version of the runtime. */
export interface DeviceQuestion {
  readonly graphFile: string;
  readonly threads: number;
  readonly providers: readonly ExecutionProvider[];
  readonly runtimeVersion: string;
}

interface Saved {
  readonly known: KnownDevice | undefined;
  readonly ends: Readonly<Partial<Record<ExecutionProvider, number>>>;
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

  /** What `choose` comes to. It is kept for the next time if it `isSure`, and nothing was known: a device that fails once may work again. */
  async remembering<T extends KnownDevice & { readonly isSure: boolean }>(
    question: DeviceQuestion,
    choose: (log: DeviceLog) => Promise<T>,
  ): Promise<T> {
    const key = await keyOf(question);
    const { known, ends } = await this.#read(key);
    const running = { ...ends };
    const log: DeviceLog = {
      known,
      suspects: EXECUTION_PROVIDERS.filter((provider) => (ends[provider] ?? 0) >= MOST_ENDS),
      begin: (provider) => {
        running[provider] = (running[provider] ?? 0) + 1;
        return this.#save(key, { known, ends: running });
      },
      end: (provider) => {
        running[provider] = 0;
        return this.#save(key, { known, ends: running });
      },
    };
    const choice = await choose(log);
    if (known === undefined && choice.isSure) {
      const { provider, fallbackReason } = choice;
      await this.#save(key, { known: { provider, fallbackReason }, ends: running });
    }
    return choice;
  }

  /** The device did not do: next time they are compared anew. */
  async forget(question: DeviceQuestion): Promise<void> {
    const key = await keyOf(question);
    const { known, ends } = await this.#read(key);
    if (known !== undefined) await this.#save(key, { known: undefined, ends });
  }

  async #read(key: string): Promise<Saved> {
    const saved = await this.#file.read(key);
    if (!isRecord(saved) || !isCount(saved['atMs'])) return NOTHING;
    const ageMs = this.#clock.wallTime() - saved['atMs'];
    if (ageMs < 0 || ageMs > VALID_MS) return NOTHING;
    const { fallbackReason, ends } = saved;
    const provider = EXECUTION_PROVIDERS.find((name) => name === saved['provider']);
    const isKnown = provider !== undefined && (fallbackReason === null || typeof fallbackReason === 'string');
    const counts = EXECUTION_PROVIDERS.map((name) => [name, isRecord(ends) ? ends[name] : undefined] as const);
    return {
      known: isKnown ? { provider, fallbackReason } : undefined,
      ends: Object.fromEntries(counts.filter(([, count]) => isCount(count))),
    };
  }

  #save(key: string, { known, ends }: Saved): Promise<void> {
    const atMs = Math.round(this.#clock.wallTime());
    return this.#file.save({ [key]: { ...known, ends: { ...ends }, atMs } });
  }
}

const NOTHING: Saved = { known: undefined, ends: {} };

/** Another file in the same place is another graph. */
async function keyOf({ graphFile, threads, providers, runtimeVersion }: DeviceQuestion): Promise<string> {
  const { size, mtimeMs } = await stat(graphFile).catch(() => ({ size: 0, mtimeMs: 0 }));
  const runtime = `${runtimeVersion} ${providers.join(',')}`;
  return ['device', machineName(threads), runtime, graphFile, size, mtimeMs].join('|');
}
