/** Where one platform's native binaries come from. */
export interface VsixTarget {
  /** Folder inside onnxruntime-node's `bin/napi-v6`. */
  readonly onnxruntime: string;
  /** LanceDB's package for the platform. */
  readonly lancedb: string;
}

/** VS Code's name of a platform → its binaries. Where onnxruntime or LanceDB has none there is no VSIX. */
export const VSIX_TARGETS: Readonly<Record<string, VsixTarget>> = {
  'linux-x64': { onnxruntime: 'linux/x64', lancedb: '@lancedb/lancedb-linux-x64-gnu' },
  'linux-arm64': { onnxruntime: 'linux/arm64', lancedb: '@lancedb/lancedb-linux-arm64-gnu' },
  'darwin-arm64': { onnxruntime: 'darwin/arm64', lancedb: '@lancedb/lancedb-darwin-arm64' },
  'win32-x64': { onnxruntime: 'win32/x64', lancedb: '@lancedb/lancedb-win32-x64-msvc' },
  'win32-arm64': { onnxruntime: 'win32/arm64', lancedb: '@lancedb/lancedb-win32-arm64-msvc' },
};
