import type * as vscode from 'vscode';

/** VS Code's cancellation token as an `AbortSignal`, for everything below the host. */
export function abortSignalOf(token: vscode.CancellationToken): AbortSignal {
  if (token.isCancellationRequested) return AbortSignal.abort();
  const controller = new AbortController();
  token.onCancellationRequested(() => controller.abort());
  return controller.signal;
}
