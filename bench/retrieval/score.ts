export function mean(values: readonly number[]): number {
  return values.length === 0 ? NaN : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Paired 95 % bootstrap interval of the mean difference, over repositories, with a fixed seed. */
export function bootstrapInterval(differences: readonly number[], draws = 4000): readonly [number, number] {
  // A small generator of our own, so that two runs agree (mulberry32).
  let state = 1;
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const means = Array.from({ length: draws }, () =>
    mean(differences.map(() => differences[Math.floor(random() * differences.length)] ?? 0)),
  ).sort((left, right) => left - right);
  return [means[Math.floor(draws * 0.025)] ?? NaN, means[Math.floor(draws * 0.975) - 1] ?? NaN];
}
