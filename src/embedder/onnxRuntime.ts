import { createRequire } from 'node:module';
import type * as onnxruntime from 'onnxruntime-node';

// ONNX Runtime 1.29 and later report to Microsoft on Linux and macOS, and keep a name for the device in the cache folder, unless this
// is set before the library is loaded. So this file alone may load it, and never by an import, which would come first.
process.env['ORT_DISABLE_TELEMETRY'] = '1';

/** The native library: the one place that loads it. */
const runtime = createRequire(import.meta.url)('onnxruntime-node') as typeof onnxruntime;

export const { InferenceSession, Tensor, listSupportedBackends } = runtime;
/** Of ONNX Runtime's native part; empty where it does not tell. */
export const RUNTIME_VERSION = runtime.env.versions.node ?? '';
export type InferenceSession = onnxruntime.InferenceSession;
export type Tensor = onnxruntime.Tensor;
export type SessionOptions = onnxruntime.InferenceSession.SessionOptions;
