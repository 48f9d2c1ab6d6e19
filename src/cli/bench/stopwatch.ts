/** What is counted as a policy's time. */
export type BenchClock = 'wall' | 'cpu';

/** Milliseconds from an arbitrary start. */
export type Stopwatch = () => number;

/**
 * Time as it passes, or the time this thread was given by the processor. On a machine that is busy with other things the latter
 * is the only one worth comparing, and it counts all of the work only when the engine uses a single thread.
 */
export function stopwatch(clock: BenchClock): Stopwatch {
  if (clock === 'wall') return () => performance.now();
  return () => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1000;
  };
}
