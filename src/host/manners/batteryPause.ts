import * as vscode from 'vscode';
import type { Clock } from '../../base/clock.ts';
import { Disposable, type DisposableLike } from '../../base/disposable.ts';
import type { Logger } from '../../base/logger.ts';
import type { WorkspaceIndex } from '../folders/workspaceIndex.ts';
import { type PowerSource, readPowerSource } from './powerSource.ts';

/** A plug is pulled seldom; three tiny reads a minute cost nothing. */
const LOOK_EVERY_MS = 30_000;
/** Looks in a row that say nothing before that is believed. */
const LOOKS_TO_BELIEVE = 3;

/** Lets background indexing wait while the machine runs on battery, and go on when it is plugged in again. */
export class BatteryPause extends Disposable {
  readonly #workspace: Pick<WorkspaceIndex, 'setOnBattery'>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #readSource: () => Promise<PowerSource>;
  #timer: DisposableLike | undefined;
  #source: PowerSource = 'unknown';
  #isKnowable = false;
  #unknownInARow = 0;

  /** `readSource` is for tests. */
  constructor(
    workspace: Pick<WorkspaceIndex, 'setOnBattery'>,
    clock: Clock,
    logger: Logger,
    readSource: () => Promise<PowerSource> = readPowerSource,
  ) {
    super();
    this.#readSource = readSource;
    this.#workspace = workspace;
    this.#clock = clock;
    this.#logger = logger;
    this.own({ dispose: () => this.#timer?.dispose() });
  }

  start(): void {
    this.own(
      vscode.workspace.onDidChangeConfiguration((change) => {
        if (change.affectsConfiguration('tessera.index.pauseOnBattery')) this.#apply();
      }),
    );
    void this.#look();
  }

  async #look(): Promise<void> {
    const source = await this.#readSource();
    if (this.isDisposed) return;
    this.#unknownInARow = source === 'unknown' ? this.#unknownInARow + 1 : 0;
    // One look may fail.
    const isBelieved = source !== 'unknown' || this.#unknownInARow >= LOOKS_TO_BELIEVE;
    if (isBelieved && source !== this.#source) {
      this.#logger.info('power source', { source });
      this.#source = source;
      this.#apply();
    }
    this.#isKnowable ||= source !== 'unknown';
    // Where it cannot be known, it will not be later either.
    if (this.#isKnowable || !isBelieved) this.#timer = this.#clock.after(LOOK_EVERY_MS, () => void this.#look());
  }

  #apply(): void {
    const wanted = vscode.workspace.getConfiguration('tessera').get<boolean>('index.pauseOnBattery', true);
    this.#workspace.setOnBattery(wanted && this.#source === 'battery');
  }
}
