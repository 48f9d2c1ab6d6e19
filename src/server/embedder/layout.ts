/** Embedder processes for bulk work, and how many threads they have together. */
export interface Layout {
  readonly sessions: number;
  readonly threads: number;
}

/** What may be tried otherwise, in this order: more processes with fewer threads each, or fewer threads in all. */
export type Direction = 'processes' | 'threads';
export const DIRECTIONS: readonly Direction[] = ['processes', 'threads'];

/** Further processes than these cost more memory than anybody gains. */
const MAX_SESSIONS = 8;
/** Half of fewer is one thread, which is not as fast as two on any processor with two cores. */
const LEAST_HALVED = 4;

/** The neighbour of a layout in a direction; undefined where there is none worth trying. */
export function neighbourOf({ sessions, threads }: Layout, direction: Direction): Layout | undefined {
  if (direction === 'processes') {
    return 2 * sessions <= Math.min(threads, MAX_SESSIONS) ? { sessions: 2 * sessions, threads } : undefined;
  }
  if (threads < LEAST_HALVED) return undefined;
  const half = Math.floor(threads / 2);
  return { sessions: Math.min(sessions, half), threads: half };
}

export function isSameLayout(a: Layout, b: Layout): boolean {
  return a.sessions === b.sessions && a.threads === b.threads;
}

/** Threads of each of its processes. */
export function threadsOfEach({ sessions, threads }: Layout): number {
  return Math.max(1, Math.floor(threads / sessions));
}

/** As it is told: processes × threads of each. */
export function nameOfLayout(layout: Layout): string {
  return `${layout.sessions} × ${threadsOfEach(layout)}`;
}
