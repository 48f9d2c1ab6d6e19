import type { TesseraError } from '../../base/errors.ts';
import type { EmbedJob } from './embedJob.ts';

interface DoubtedText {
  readonly job: EmbedJob;
  readonly index: number;
  readonly how: string;
}

/**
 * Texts over which processes ended on a device: whose fault that is shows by what becomes of others. Where those are answered they are
 * given up; where the device is left they are tried again without it.
 */
export class DoubtedTexts {
  #texts: DoubtedText[] = [];

  /** A job that waits for one of them; undefined when none does. */
  get job(): EmbedJob | undefined {
    this.#texts = this.#texts.filter(({ job }) => !job.done.isSettled);
    return this.#texts[0]?.job;
  }

  /** Holds a text back; `how` the processes ended. */
  add(job: EmbedJob, index: number, how: string): void {
    job.hold(index);
    this.#texts.push({ job, index, how });
  }

  /** It was the texts. */
  giveUp(): void {
    for (const { job, index, how } of this.#texts.splice(0)) job.giveUp(index, how);
  }

  /** It was the device; the jobs are to send them again. */
  forget(): void {
    this.#texts = [];
  }

  /** There is no process that could tell. */
  reject(error: TesseraError): void {
    for (const { job } of this.#texts.splice(0)) job.done.reject(error);
  }
}
