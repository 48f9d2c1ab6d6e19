/** Numbers of the `limit` highest scores above `floor` among those `accept` lets pass, best first; ties by number. */
export function topScores(
  scores: Float32Array,
  limit: number,
  floor: number,
  accept: (number: number) => boolean,
): number[] {
  // A heap with the worst on top: nearly every score is turned away by one comparison.
  const heap: number[] = [];
  const score = (number: number) => scores[number] ?? 0;
  const isWorse = (left: number, right: number) =>
    score(left) < score(right) || (score(left) === score(right) && left > right);
  const swap = (left: number, right: number) => {
    const held = heap[left] ?? 0;
    heap[left] = heap[right] ?? 0;
    heap[right] = held;
  };
  const sink = (from: number) => {
    let at = from;
    for (;;) {
      let worst = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < heap.length && isWorse(heap[child] ?? 0, heap[worst] ?? 0)) worst = child;
      }
      if (worst === at) return;
      swap(at, worst);
      at = worst;
    }
  };
  let least = floor;
  for (let number = 0; number < scores.length; number++) {
    // Of equal scores the first stays: numbers ascend.
    if ((scores[number] ?? 0) <= least || !accept(number)) continue;
    if (heap.length === limit) {
      heap[0] = number;
      sink(0);
    } else {
      let at = heap.push(number) - 1;
      while (at > 0) {
        const parent = (at - 1) >> 1;
        if (!isWorse(heap[at] ?? 0, heap[parent] ?? 0)) break;
        swap(at, parent);
        at = parent;
      }
    }
    if (heap.length === limit) least = score(heap[0] ?? 0);
  }
  return heap.sort((left, right) => (isWorse(left, right) ? 1 : -1));
}
