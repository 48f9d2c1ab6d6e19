/**
 * How well a text answers a query by their tokens: for each token of the query the best likeness among the text's, on average
 * (ColBERT's MaxSim, Khattab and Zaharia 2020, divided by the query's length). Both are row-major unit vectors of `dimension`
 * numbers; the result lies between -1 and 1, and is 0 when either has no token.
 */
export function maxSim(query: Float32Array, text: Float32Array, dimension: number): number {
  if (query.length === 0 || text.length === 0) return 0;
  let sum = 0;
  for (let asked = 0; asked < query.length; asked += dimension) {
    let best = -Infinity;
    for (let token = 0; token < text.length; token += dimension) {
      let likeness = 0;
      for (let i = 0; i < dimension; i++) likeness += (query[asked + i] ?? 0) * (text[token + i] ?? 0);
      best = Math.max(best, likeness);
    }
    sum += best;
  }
  return (sum * dimension) / query.length;
}
