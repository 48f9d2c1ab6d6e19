import type { ModelInfo } from '../../protocol/embedder.ts';
import type { Scope } from '../../protocol/scope.ts';

export interface VectorSpace {
  /** Column of the chunk table that holds this model's vectors. */
  readonly column: string;
  readonly modelId: string;
  readonly dimension: number;
}

/** Where each scope's vectors are. One model for both scopes means one column, and one query vector finds both. */
export type VectorSpaces = Readonly<Record<Scope, VectorSpace>>;

export function vectorSpaces(models: Readonly<Record<Scope, Pick<ModelInfo, 'id' | 'dimension'>>>): VectorSpaces {
  const { code, docs } = models;
  const isShared = code.id === docs.id && code.dimension === docs.dimension;
  return {
    code: { column: isShared ? 'vector' : 'vectorCode', modelId: code.id, dimension: code.dimension },
    docs: { column: isShared ? 'vector' : 'vectorDocs', modelId: docs.id, dimension: docs.dimension },
  };
}

/** Of an index whose vectors are of no use, being another model's: nothing is read or written of them. */
export const NO_VECTOR_SPACES: VectorSpaces = {
  code: { column: '', modelId: '', dimension: 0 },
  docs: { column: '', modelId: '', dimension: 0 },
};

/** The spaces without repetition. */
export function distinctSpaces(spaces: VectorSpaces): readonly VectorSpace[] {
  if (spaces === NO_VECTOR_SPACES) return [];
  return spaces.code.column === spaces.docs.column ? [spaces.code] : [spaces.code, spaces.docs];
}
