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

  /** How many of these jobs' texts there are; none of a job that has ended. */
  countIn(jobs: ReadonlySet<EmbedJob>): number {
    this.#texts = this.#texts.filter(({ job }) => jobs.has(job) && !job.done.isSettled);
    return this.#texts.length;
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

  /** It was the device. */
  tryAgain(): void {
    for (const { job, index } of this.#texts.splice(0)) job.tryAgain(index);
  }
}
