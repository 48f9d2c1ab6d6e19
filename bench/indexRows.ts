import { readdirSync } from 'node:fs';
import path from 'node:path';
import { connect } from '@lancedb/lancedb';
import type { Vector } from 'apache-arrow';

/** All rows of a folder's index, by id: every column but the vector and the times as JSON, and the vector. */
export interface IndexRows {
  readonly facts: ReadonlyMap<string, string>;
  readonly vectors: ReadonlyMap<string, readonly number[]>;
}

/** Reads the one index there is below an index folder, past all of Tessera's code. */
export async function readIndexRows(indexDir: string): Promise<IndexRows> {
  const [folder, ...others] = readdirSync(path.join(indexDir, 'folders'));
  if (folder === undefined || others.length > 0) throw new Error('There is not exactly one index.');
  const dir = path.join(indexDir, 'folders', folder);
  const tables = readdirSync(dir).filter((name) => name.endsWith('.lance'));
  if (tables.length !== 1) throw new Error(`There are ${tables.length} tables.`);
  const connection = await connect(dir);
  const table = await connection.openTable(path.basename(tables[0] ?? '', '.lance'));
  const facts = new Map<string, string>();
  const vectors = new Map<string, readonly number[]>();
  for (const row of (await table.query().toArray()) as Record<string, unknown>[]) {
    const { vector, mtimeMs: _, ctimeMs: __, ...rest } = row;
    const id = String(rest['id']);
    if (facts.has(id)) throw new Error(`Two rows have the id ${id}.`);
    facts.set(
      id,
      JSON.stringify(rest, (_key, value: unknown) => (isVector(value) ? [...value] : value)),
    );
    if (isVector(vector)) vectors.set(id, [...vector] as number[]);
  }
  table.close();
  connection.close();
  return { facts, vectors };
}

/** How two indexes differ, as one line for each row that does; the order of sums makes vectors differ in the last bits. */
export function differences(one: IndexRows, other: IndexRows): string[] {
  const lines: string[] = [];
  for (const id of new Set([...one.facts.keys(), ...other.facts.keys()])) {
    if (one.facts.get(id) !== other.facts.get(id)) lines.push(`${id}: other facts`);
    const cosine = dot(one.vectors.get(id) ?? [], other.vectors.get(id) ?? []);
    const isExpected = one.vectors.has(id) === other.vectors.has(id) && (!one.vectors.has(id) || cosine > 0.9999);
    if (!isExpected) lines.push(`${id}: other vector`);
  }
  return lines;
}

function isVector(value: unknown): value is Vector {
  return typeof value === 'object' && value !== null && 'toArray' in value;
}

function dot(one: readonly number[], other: readonly number[]): number {
  const norm = (vector: readonly number[]) => Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  const product = one.reduce((sum, value, at) => sum + value * (other[at] ?? 0), 0);
  return product / (norm(one) * norm(other));
}
