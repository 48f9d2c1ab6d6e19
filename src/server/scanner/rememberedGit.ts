import type { CancellationSignal } from '../../base/cancellation.ts';
import type { Clock } from '../../base/clock.ts';
import { type GitConfiguration, readGitConfiguration } from './gitFiles.ts';

/** Nobody tells of a changed configuration; what hangs on it is an excludes file of its own and the case of names. */
const REMEMBERED_MS = 60_000;
/** Where something is known, and nobody scans the whole folder, git is waited for no longer than this: a search may be waiting. */
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
    return this.#ask(folder, signal, known === undefined ? undefined : KNOWN_TIMEOUT_MS);
  };

  /** The same for a scan of the whole folder, for which git is asked however lately it answered. */
  readonly readAnew = (folder: string, signal?: CancellationSignal): Promise<GitConfiguration> =>
    this.#ask(folder, signal, undefined);

  async #ask(
    folder: string,
    signal: CancellationSignal | undefined,
    timeoutMs: number | undefined,
  ): Promise<GitConfiguration> {
    const answer = await this.#readGit(folder, signal, timeoutMs);
    // As it is by now.
    const last = this.#known.get(folder)?.configuration;
    const configuration = answer.isGuess ? (last ?? answer) : answer;
    this.#known.set(folder, { configuration, untilMs: this.#clock.now() + REMEMBERED_MS });
    return configuration;
  }
}
