import { TesseraError } from '../../base/errors.ts';
import type { ModelInfo } from '../../protocol/embedder.ts';
import { SCOPES, type Scope } from '../../protocol/scope.ts';

type Models = Readonly<Record<Scope, ModelInfo>>;

/**
 * Vectors of two models are never compared: a folder may have been replaced since the first process opened it.
 *
 * @throws TesseraError `model-invalid` when processes have opened other models than those before
 */
export function requireSameModels(before: Models, models: Models): void {
  const other = SCOPES.find((scope) => models[scope].id !== before[scope].id);
  if (other === undefined) return;
  const { name } = models[other];
  throw new TesseraError(
    'model-invalid',
    `The model ${name} is another one since its process was started again; reload the window, or restart the command.`,
    { details: { model: name } },
  );
}
