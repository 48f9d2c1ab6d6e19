import { EXECUTION_PROVIDERS, type ExecutionProvider } from '../protocol/embedder.ts';
import { listSupportedBackends } from './onnxRuntime.ts';

/** Providers that build a program for each shape they meet: lengths are rounded up to a multiple of this for them. */
export const LENGTH_STEPS: Readonly<Record<ExecutionProvider, number>> = {
  cpu: 1,
  webgpu: 16,
  dml: 16,
  coreml: 32,
  cuda: 8,
};

/** The providers this build of ONNX Runtime brings along; being listed does not mean that a device is there. */
export function bundledProviders(): readonly ExecutionProvider[] {
  const names = new Set(listSupportedBackends().map((backend) => backend.name));
  return EXECUTION_PROVIDERS.filter((provider) => names.has(provider));
}
