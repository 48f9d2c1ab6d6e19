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
/** The same where one of them failed that may work another time. */
const UNSURE_VALID_MS = 60 * 60 * 1000;

/** What `auto` comes to. */
export interface KnownDevice {
  readonly provider: ExecutionProvider;
  /** Why it is not another one; null where none was passed over for a fault. */
  readonly fallbackReason: string | null;
  /** Whether it will be so another time, as far as is known: none has failed that may work then. */
  readonly isSure: boolean;
}

/** Where graphs are looked for on devices: in this file, with so many threads, on these providers of this version of the runtime. */
export interface DeviceQuestion {
  readonly graphFile: string;
  readonly threads: number;
  readonly providers: readonly ExecutionProvider[];
  readonly runtimeVersion: string;
}

/** The device `auto` found to be best for a model on this machine: opening and timing all of them takes seconds that a first search waits for. */
export class KnownDevices {
  readonly #file: LearnedFile;
  readonly #clock: Pick<Clock, 'wallTime'>;
  readonly #folder: string | null;
  /** Not saved yet. */
  #unsaved: Readonly<Record<string, unknown>> = {};

  /** Keeps nothing when `tunerStateFile` is null. */
  constructor(tunerStateFile: string | null, clock: Pick<Clock, 'wallTime'>, logger: Logger) {
    this.#folder = tunerStateFile === null ? null : path.dirname(tunerStateFile);
    this.#file = new LearnedFile(this.#folder === null ? null : path.join(this.#folder, DEVICES_FILE), logger);
    this.#clock = clock;
  }

  /** What `choose` comes to; it is told what it came to before, as long as that holds. */
  async remembering<T extends KnownDevice>(
    question: DeviceQuestion,
    choose: (known: KnownDevice | undefined) => Promise<T>,
  ): Promise<T> {
    const key = await keyOf(question);
    const known = await this.#read(key);
    const choice = await choose(known);
    if (choice.provider !== known?.provider) await this.#save(key, choice);
    return choice;
  }

  /** The embedder ended over a device, or left it: for an hour the processor is the answer, so that starts in a row do not all end so. */
  async leave(question: DeviceQuestion, reason: string): Promise<void> {
    if (question.providers.every((provider) => provider === 'cpu')) return;
    const key = await keyOf(question);
    const known = await this.#read(key);
    if (known?.provider === 'cpu') return;
    await this.#save(key, { provider: 'cpu', fallbackReason: reason, isSure: false });
  }

  /** Saves what is not saved yet; to be called once there is work: who only asks for an index that is not there leaves nothing behind. */
  async keep(): Promise<void> {
    const unsaved = this.#unsaved;
    this.#unsaved = {};
    if (Object.keys(unsaved).length > 0) await this.#file.save(unsaved);
  }

  async #read(key: string): Promise<KnownDevice | undefined> {
    const saved = await this.#file.read(key);
    if (!isRecord(saved)) return undefined;
    const { fallbackReason, isSure, atMs } = saved;
    const provider = EXECUTION_PROVIDERS.find((name) => name === saved['provider']);
    if (provider === undefined || !isCount(atMs) || typeof isSure !== 'boolean') return undefined;
    if (fallbackReason !== null && typeof fallbackReason !== 'string') return undefined;
    const ageMs = this.#clock.wallTime() - atMs;
    const isValid = ageMs >= 0 && ageMs <= (isSure ? VALID_MS : UNSURE_VALID_MS);
    return isValid ? { provider, fallbackReason, isSure } : undefined;
  }

  async #save(key: string, { provider, fallbackReason, isSure }: KnownDevice): Promise<void> {
    const atMs = Math.round(this.#clock.wallTime());
    this.#unsaved = { ...this.#unsaved, [key]: { provider, fallbackReason, isSure, atMs } };
    if (this.#folder !== null && (await isThere(this.#folder))) await this.keep();
  }
}

function isThere(folder: string): Promise<boolean> {
  return stat(folder).then(
    () => true,
    () => false,
  );
}

/** Another file in the same place is another graph. */
async function keyOf({ graphFile, threads, providers, runtimeVersion }: DeviceQuestion): Promise<string> {
  const { size, mtimeMs } = await stat(graphFile).catch(() => ({ size: 0, mtimeMs: 0 }));
  const runtime = `${runtimeVersion} ${providers.join(',')}`;
  return ['device', machineName(threads), runtime, graphFile, size, mtimeMs].join('|');
}
