import type { Clock } from '../base/clock.ts';
import { type Command, nvidiaCommand, outputOf } from '../process/nvidiaTool.ts';
import type { ExecutionProvider } from '../protocol/embedder.ts';

/** Asking starts a process; more often than this would be noticed. */
const SAMPLE_EVERY_MS = 10_000;
/** A page of figures waits for the first sample. */
const TIMEOUT_MS = 2_000;

export interface GpuMeterOptions {
  readonly deviceId?: number;
  readonly command?: Command;
}

/**
 * Share of a GPU's time in use, by asking its driver's own tool. Only NVIDIA's has one that every driver brings along and any
 * user may run: on other devices, and where the tool is missing or silent, there is no figure and nothing is started.
 */
export class GpuMeter {
  readonly #clock: Pick<Clock, 'now'>;
  #command: Command | undefined;
  #sampledMs = -Infinity;
  #asking: Promise<void> | undefined;
  #utilization: number | null = null;

  /** `deviceId` is the runtime's number of the GPU. */
  constructor(
    devices: readonly ExecutionProvider[],
    clock: Pick<Clock, 'now'>,
    { deviceId = 0, command = nvidiaCommand('utilization.gpu', deviceId) }: GpuMeterOptions = {},
  ) {
    this.#clock = clock;
    this.#command = devices.includes('cuda') ? command : undefined;
  }

  /** To be called while the device works: takes a sample in the background when the last one is old. */
  sample(): void {
    if (this.#command === undefined || this.#asking !== undefined) return;
    if (this.#clock.now() - this.#sampledMs < SAMPLE_EVERY_MS) return;
    this.#asking = this.#ask(this.#command).finally(() => {
      this.#asking = undefined;
    });
  }

  /** The last sample, 0 to 1; the first one when none has been taken. Null where nobody tells. */
  async utilization(): Promise<number | null> {
    this.sample();
    if (this.#utilization === null) await this.#asking;
    return this.#utilization;
  }

  async #ask(command: Command): Promise<void> {
    this.#sampledMs = this.#clock.now();
    const output = await outputOf(command, TIMEOUT_MS);
    const percent = output === undefined || output.trim() === '' ? NaN : Number(output.trim().split('\n')[0]);
    // A tool that is missing, or a GPU it can't tell about, will not change within this process's life.
    if (!Number.isFinite(percent)) this.#command = undefined;
    this.#utilization = Number.isFinite(percent) ? Math.min(1, Math.max(0, percent / 100)) : null;
  }
}
