/**
 * Results of `work` in the order of the items, with up to `ahead` of them under way: bounded, whoever is faster.
 * A failure is thrown when its turn comes; what is still under way then is left to finish unheard.
 */
export async function* mapAhead<T, R>(
  items: Iterable<T>,
  ahead: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R, void, undefined> {
  const underWay: Promise<R>[] = [];
  for (const item of items) {
    const result = work(item);
    // Its rejection may come long before its turn.
    result.catch(() => undefined);
    underWay.push(result);
    if (underWay.length < ahead) continue;
    const first = underWay.shift();
    if (first !== undefined) yield await first;
  }
  for (const result of underWay) yield await result;
}
