import type { BenchModel } from './benchModel.ts';
import { type Round, type WorkloadRecord, passesOf } from './benchRecord.ts';
import { type Policy, TUNED, type TunedPolicy, tuned } from './policies.ts';
import { SeededRandom } from '../../synthetic/random.ts';
import type { Stopwatch } from './stopwatch.ts';
import { bestFixedPolicy } from './summarizeWorkload.ts';
import { type Pass, timePass } from './timeRuns.ts';
import { collectYoungGarbage } from './youngGarbage.ts';

/** Repetitions, if time allows; fewer than the least are never made. Passes of a look-up model are over in a tenth of a second, in which a shared machine may do anything. */
export const REPETITIONS = { least: 5, most: 100 } as const;
/** Windows a tuner learns from before it is compared, at most. */
const LEARNING_PASSES = 40;
/** Share of the time that learning may take. */
const LEARNING_SHARE = 0.25;
/** … and comparing the tuned policy with the best other one, after that was chosen. */
const PAIRS_SHARE = 0.25;
/** A pass of the tuned policy takes no longer than this, where fewer texts still show what the policies do. */
const PASS_SECONDS = 8;
/** How much longer than expected a pass may take: one like it was timed, or only its tokens are known. */
const MARGIN = { timed: 1.2, untimed: 2 } as const;

export interface CompareOptions {
  readonly now: Stopwatch;
  /** Policies to be compared with the tuned one, given the texts of a pass. */
  readonly choosePolicies: (texts: number) => readonly Policy[];
  readonly seconds: number;
  /** When to end at the latest, by `performance.now()`, though something is missing; Infinity: when all is measured. */
  readonly untilMs: number;
  /** Texts of a pass at most, and at least: between them a slow model has fewer. */
  readonly texts: { readonly least: number; readonly most: number };
  readonly latencyCeilingMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress: (text: string) => void;
  /** Called whenever something was added to the record. */
  readonly onMeasured: () => Promise<void>;
  /** Called in each repetition with the rate of the tuned policy in it. */
  readonly onTunedPass: (pass: Pass) => Promise<void>;
}

/**
 * Policies side by side on one workload: each repetition runs all of them over the same texts, in another order each
 * time, so that what disturbs the machine disturbs them alike, and no policy always follows the same one: large runs leave the
 * caches cold for whoever is next. Goes on from what is in `record` and adds to it.
 * Where time ends a repetition early, the policies it left out come first in the next, beside a new pass of the tuned one.
 * True when all is measured.
 */
export async function comparePolicies(
  model: BenchModel,
  record: WorkloadRecord,
  options: CompareOptions,
): Promise<boolean> {
  return new Comparison(model, record, options).run();
}

class Comparison {
  readonly #model: BenchModel;
  readonly #record: WorkloadRecord;
  readonly #options: CompareOptions;
  readonly #tuned: TunedPolicy;

  constructor(model: BenchModel, record: WorkloadRecord, options: CompareOptions) {
    this.#model = model;
    this.#record = record;
    this.#options = options;
    this.#tuned = tuned(TUNED, model, options.latencyCeilingMs, record.tuner ?? undefined);
  }

  async run(): Promise<boolean> {
    const record = this.#record;
    const { onMeasured, choosePolicies } = this.#options;
    if (record.tuner === null) {
      await this.#learn();
      record.tuner = this.#tuned.tuner.save();
      await onMeasured();
    }
    if (record.texts === 0) record.texts = this.#affordableTexts();
    const policies = [...choosePolicies(record.texts), this.#tuned];
    if (!(await this.#measureMemory(policies))) return false;
    if (!(await this.#measureRounds(policies, this.#repetitions(policies)))) return false;
    record.best ??= bestFixedPolicy(record.rounds, this.#options.latencyCeilingMs);
    const best = policies.find(({ name }) => name === record.best);
    if (best === undefined) return true;
    const pair = [best, this.#tuned];
    return this.#measurePairs(pair, this.#repetitions(pair, PAIRS_SHARE));
  }

  get #lengths(): readonly number[] {
    return this.#record.lengths.slice(0, this.#record.texts);
  }

  /** Lets the tuner see other texts of the workload, until it says that it knows enough or the time is up. */
  async #learn(): Promise<void> {
    const { lengths, name } = this.#record;
    const { seconds, onProgress } = this.#options;
    onProgress(`${name}: learning`);
    const untilMs = performance.now() + seconds * 1000 * LEARNING_SHARE;
    let start = 0;
    for (let pass = 0; pass < LEARNING_PASSES && performance.now() < untilMs; pass++) {
      const window: number[] = [];
      for (let tokens = 0; window.length < 128 || tokens < this.#tuned.windowTokens; start++) {
        const length = lengths[start % lengths.length] ?? 1;
        window.push(length);
        tokens += length;
      }
      const { milliseconds, realTokens } = await this.#time(this.#tuned, window, false);
      this.#record.msPerToken = milliseconds / realTokens;
      if (this.#tuned.tuner.report().converged && pass > 2) return;
    }
  }

  #affordableTexts(): number {
    const { least, most } = this.#options.texts;
    const { lengths, msPerToken } = this.#record;
    const mean = lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
    const affordable = Math.floor((PASS_SECONDS * 1000) / (msPerToken * mean));
    return Math.min(most, Math.max(least, affordable));
  }

  /** Most memory of each policy from a fresh session; warms everything up. False when time was up before. */
  async #measureMemory(policies: readonly Policy[]): Promise<boolean> {
    const { name, first } = this.#record;
    const missing = policies.filter((policy) => first[policy.name] === undefined);
    for (const policy of missing) {
      if (!this.#fits([policy])) return false;
      this.#options.onProgress(`${name}: memory of ${policy.name}`);
      await this.#startAfresh();
      first[policy.name] = await this.#time(policy, this.#lengths, true);
      await this.#options.onMeasured();
    }
    await this.#startAfresh();
    return true;
  }

  #repetitions(policies: readonly Policy[], share = 1 - LEARNING_SHARE - PAIRS_SHARE): number {
    const { seconds, untilMs } = this.#options;
    if (untilMs < Infinity) return REPETITIONS.least;
    const passMs = policies.reduce((sum, { name }) => sum + (this.#record.first[name]?.milliseconds ?? 0), 0);
    const affordable = Math.floor((seconds * 1000 * share) / passMs) - 1;
    return Math.min(REPETITIONS.most, Math.max(REPETITIONS.least, affordable));
  }

  /** True when every policy has been repeated often enough, false when time was up before. */
  async #measureRounds(policies: readonly Policy[], repetitions: number): Promise<boolean> {
    const { rounds, name } = this.#record;
    const others = policies.filter((policy) => policy !== this.#tuned);
    const count = (policy: Policy): number => passesOf(this.#record, policy.name).length;
    for (;;) {
      const due = others.filter((policy) => count(policy) < repetitions);
      if (due.length === 0 && count(this.#tuned) >= repetitions) return true;
      if (due.length > 0 && !due.some((policy) => this.#fits([policy, this.#tuned]))) return false;
      if (!this.#fits([this.#tuned])) return false;
      const fewest = Math.min(...due.map(count));
      this.#options.onProgress(`${name}: repetition ${fewest + 1} of ${repetitions}`);
      const shuffled = shuffle(policies, new SeededRandom(1 + rounds.length));
      // What a repetition that time ended left out comes first.
      const order = shuffled.filter((policy) => policy === this.#tuned || due.includes(policy));
      const behind = (policy: Policy): number => (policy === this.#tuned ? fewest : count(policy));
      await this.#measureRound(order.sort((a, b) => behind(a) - behind(b)));
    }
  }

  /** One pass of each policy there is time for. The tuned one is always among them: there is nothing to compare with otherwise. */
  async #measureRound(policies: readonly Policy[]): Promise<void> {
    const record = this.#record;
    const round: Round = {};
    record.rounds.push(round);
    for (const policy of policies) {
      const isTuned = policy === this.#tuned;
      if (!isTuned && !this.#fits(round[TUNED] === undefined ? [policy, this.#tuned] : [policy])) continue;
      const pass = await this.#time(policy, this.#lengths, false);
      round[policy.name] = pass;
      if (isTuned) {
        record.msPerToken = pass.milliseconds / pass.realTokens;
        record.tuner = this.#tuned.tuner.save();
        await this.#options.onTunedPass(pass);
      }
      await this.#options.onMeasured();
    }
  }

  /** Passes of two policies, in either order; false when time was up before. */
  async #measurePairs(policies: readonly Policy[], repetitions: number): Promise<boolean> {
    const { pairs, name } = this.#record;
    while (pairs.length < repetitions) {
      if (!this.#fits(policies)) return false;
      this.#options.onProgress(`${name}: ${this.#record.best} again, ${pairs.length + 1} of ${repetitions}`);
      const pair: Round = {};
      for (const policy of shuffle(policies, new SeededRandom(1 + pairs.length)))
        pair[policy.name] = await this.#time(policy, this.#lengths, false);
      pairs.push(pair);
      await this.#options.onMeasured();
    }
    return true;
  }

  /** Whether passes of these policies are over in time, by what is known of them. */
  #fits(policies: readonly Policy[]): boolean {
    const expectedMs = policies.reduce((sum, policy) => sum + this.#expectedMs(policy), 0);
    return performance.now() + expectedMs <= this.#options.untilMs;
  }

  #expectedMs(policy: Policy): number {
    const last = passesOf(this.#record, policy.name).at(-1) ?? this.#record.first[policy.name];
    if (last !== undefined) return last.runMs.reduce((sum, ms) => sum + ms, 0) * MARGIN.timed;
    const lengths = this.#lengths;
    // A plan of the tuned policy counts as made, and pads next to nothing.
    const shapes = policy === this.#tuned ? lengths.map((length) => ({ length, count: 1 })) : policy.plan(lengths);
    const tokens = shapes.reduce((sum, { length, count }) => sum + length * count, 0);
    return tokens * this.#record.msPerToken * MARGIN.untimed;
  }

  async #startAfresh(): Promise<void> {
    await this.#model.release();
    await this.#model.run([8], 8);
  }

  #time(policy: Policy, lengths: readonly number[], measureRss: boolean): Promise<Pass> {
    const { now, signal } = this.#options;
    collectYoungGarbage();
    return timePass(this.#model, policy, lengths, { now, measureRss, signal });
  }
}

/** Fisher and Yates' shuffle: every order is as likely as any other. */
function shuffle<T>(items: readonly T[], random: SeededRandom): T[] {
  const rest = [...items];
  return items.flatMap(() => rest.splice(random.integer(rest.length), 1));
}
