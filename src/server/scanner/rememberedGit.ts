import type { CancellationSignal } from '../../base/cancellation.ts';
import type { Clock } from '../../base/clock.ts';
import { type GitConfiguration, readGitConfiguration } from './gitFiles.ts';

/** Nobody tells of a changed configuration; what hangs on it is an excludes file of its own and the case of names. */
const REMEMBERED_MS = 60_000;
/** Where git has answered before and nobody asked for a scan it is waited for no longer than this: a search may be waiting. */
const KNOWN_TIMEOUT_MS = 3000;

/**
 * What git said of some folders, for a minute, and for longer while it does not answer: starting a process with every saved file cost more than a fifth
 * of indexing it.
 */
export class RememberedGit {
  readonly #clock: Clock;
  readonly #readGit: typeof readGitConfiguration;
  readonly #known = new Map<string, { readonly configuration: GitConfiguration; readonly untilMs: number }>();

  constructor(clock: Clock, readGit: typeof readGitConfiguration = readGitConfiguration) {
    this.#clock = clock;
    this.#readGit = readGit;
  }

  /** Rejects with `cancelled`. */
  readonly read = async (folder: string, signal?: CancellationSignal): Promise<GitConfiguration> => {
    const known = this.#known.get(folder);
    if (known !== undefined && this.#clock.now() < known.untilMs) return known.configuration;
    const isUrgent = known !== undefined && !known.configuration.isGuess && known.untilMs > -Infinity;
    const answer = await this.#readGit(folder, signal, isUrgent ? KNOWN_TIMEOUT_MS : undefined);
    // As it is by now.
    const last = this.#known.get(folder)?.configuration;
    const configuration = answer.isGuess ? (last ?? answer) : answer;
    this.#known.set(folder, { configuration, untilMs: this.#clock.now() + REMEMBERED_MS });
    return configuration;
  };

  /** Has git asked anew by whoever comes next. */
  expire(): void {
    for (const [folder, { configuration }] of this.#known)
      this.#known.set(folder, { configuration, untilMs: -Infinity });
  }
}
