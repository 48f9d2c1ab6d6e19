/** Text for Lance's SQL predicates (DataFusion's dialect). */

export function sqlString(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

/** `column IN ('a', 'b')`; with no values, a predicate that is never true. */
export function sqlIn(column: string, values: readonly string[]): string {
  return values.length === 0 ? 'false' : `${column} IN (${values.map(sqlString).join(', ')})`;
}

export function sqlNotIn(column: string, values: readonly string[]): string {
  return values.length === 0 ? 'true' : `${column} NOT IN (${values.map(sqlString).join(', ')})`;
}

/** All of them; undefined ones say nothing. */
export function sqlAnd(...predicates: readonly (string | undefined)[]): string {
  const present = predicates.filter((predicate) => predicate !== undefined);
  return present.length === 0 ? 'true' : present.map((predicate) => `(${predicate})`).join(' AND ');
}
