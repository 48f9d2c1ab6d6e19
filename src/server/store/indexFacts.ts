import type { Table } from 'apache-arrow';
import { TesseraError } from '../../base/errors.ts';
import type { IndexSettings } from '../../protocol/server.ts';
import { decodeStrings } from './rowDecoding.ts';

/** What an index says about itself, in a row of its own table. */
export interface IndexFacts {
  /** Absolute path of the indexed folder, for people who look into the index folder. */
  readonly folder: string;
  /** Names of the models, for the same people; what counts is in the index's name. */
  readonly models: readonly string[];
  /** A full pass over the folder has been finished once: searches may trust what they don't find. */
  readonly complete: boolean;
  /** Which files it was made of; undefined when only defaults ever said so. */
  readonly rules?: IndexRules;
}

/** The part of the settings that says which files belong to an index. */
export type IndexRules = Pick<IndexSettings, 'maxFileBytes' | 'exclude' | 'useIgnoreFiles'>;

export function encodeFacts(facts: IndexFacts): string {
  return JSON.stringify(facts);
}

/** @throws TesseraError `store-failed` when the row is missing or is not what `encodeFacts` wrote. */
export function decodeFacts(rows: Table): IndexFacts {
  const [text] = decodeStrings(rows, 'text');
  const facts: unknown = text === undefined ? undefined : JSON.parse(text);
  if (!isIndexFacts(facts)) throw new TesseraError('store-failed', 'The index does not say what it is.');
  return facts;
}

function isIndexFacts(value: unknown): value is IndexFacts {
  return typeof value === 'object' && value !== null && 'complete' in value && 'folder' in value && 'models' in value;
}
