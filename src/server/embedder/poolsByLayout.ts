import { Disposable } from '../../base/disposable.ts';
import { errorMessage } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { EmbedderMetrics, ModelInfo } from '../../protocol/embedder.ts';
import type { Scope } from '../../protocol/scope.ts';
import type { EmbedderClientOptions } from './embedderClient.ts';
import { EmbedderPool, sharing } from './embedderPool.ts';
import { type Layout, nameOfLayout, threadsOfEach } from './layout.ts';
import { metricsInTurn, ofTheEnded } from './metricsInTurn.ts';
import { requireSameModels } from './sameModels.ts';

/** Pools of processes, that come and go; what they did is kept. */
export class PoolsByLayout extends Disposable {
  readonly #logger: Logger;
  /** By the layout's name. */
  readonly #pools = new Map<string, EmbedderPool>();
  /** Asked for their figures before they go. */
  readonly #ending = new Set<EmbedderPool>();
  #ended: EmbedderMetrics | null = null;
  #endedRestarts = 0;

  constructor(logger: Logger) {
    super();
    this.#logger = logger;
  }

  get isEmpty(): boolean {
    return this.#pools.size === 0;
  }

  get restarts(): number {
    return [...this.#pools.values()].reduce((sum, pool) => sum + pool.restarts, this.#endedRestarts);
  }

  get(layout: Layout): EmbedderPool | undefined {
    return this.#pools.get(nameOfLayout(layout));
  }

  /** Starts a layout's processes, which share the memory of the options; rejects when one of them can't be used, or has not opened these models. */
  async open(
    options: EmbedderClientOptions,
    layout: Layout,
    models: Readonly<Record<Scope, ModelInfo>>,
  ): Promise<void> {
    const pool = new EmbedderPool(sharing(options, layout.sessions, threadsOfEach(layout)));
    this.#pools.set(nameOfLayout(layout), pool);
    if (this.isDisposed) pool.dispose();
    requireSameModels(models, await pool.open());
    if (pool.failure !== undefined) throw pool.failure;
  }

  end(layout: Layout): void {
    this.#end(nameOfLayout(layout));
  }

  endAll(): void {
    for (const name of [...this.#pools.keys()]) this.#end(name);
  }

  forgive(): void {
    for (const pool of this.#pools.values()) pool.forgive();
  }

  /** Figures of those that have ended, taken together; null before the first has. */
  get ended(): EmbedderMetrics | null {
    return this.#ended;
  }

  /** Figures of each that runs. */
  async running(): Promise<EmbedderMetrics[]> {
    const all = await Promise.all([...this.#pools.values()].map((pool) => pool.metrics()));
    return all.filter((metrics) => metrics !== null);
  }

  override dispose(): void {
    for (const pool of [...this.#pools.values(), ...this.#ending]) pool.dispose();
    super.dispose();
  }

  #end(name: string): void {
    const pool = this.#pools.get(name);
    if (pool === undefined) return;
    this.#pools.delete(name);
    this.#ending.add(pool);
    this.#endedRestarts += pool.restarts;
    this.#keepFigures(pool)
      .catch((error: unknown) => this.#logger.debug('figures were lost', { message: errorMessage(error) }))
      .finally(() => {
        this.#ending.delete(pool);
        pool.dispose();
      });
  }

  async #keepFigures(pool: EmbedderPool): Promise<void> {
    const last = await pool.metrics();
    if (last === null) return;
    const ended = metricsInTurn([...(this.#ended === null ? [] : [this.#ended]), ofTheEnded(last)]);
    // One after the other, but for those of a trial, where the larger pool is beside the smaller one.
    const peakRssMb = Math.max(this.#ended?.peakRssMb ?? 0, last.peakRssMb);
    this.#ended = ended && { ...ended, peakRssMb };
  }
}
