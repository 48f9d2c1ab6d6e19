import { errorMessage } from '../base/errors.ts';
import { splitDeviceName } from '../protocol/deviceNames.ts';
import type { DeviceName, ExecutionProvider } from '../protocol/embedder.ts';

/** A model opened on one device. */
export interface DeviceTrial {
  /** Throws, with a sentence, where what the device computes is of no use. */
  check(): void;
  /** Tokens per second at the size of runs the device starts from. Rejects with whatever the run does. */
  measure(): Promise<number>;
  release(): Promise<void>;
}

export interface DeviceChoice<T extends DeviceTrial> {
  readonly provider: ExecutionProvider;
  readonly trial: T;
  /** Why the device is not the one asked for; null when it is. */
  readonly fallbackReason: string | null;
}

/** For `auto`, in order of preference where they are as fast as each other. */
const ACCELERATORS: readonly ExecutionProvider[] = ['cuda', 'coreml', 'dml', 'webgpu'];
/** An accelerator has to beat the processor by this much: it costs memory others want, and a close race is noise. */
const WORTH_IT = 1.2;

/**
 * Opens a model on the device asked for, or on `cpu` when that can't be had. `auto` takes the fastest accelerator that
 * works, if it is measured to be faster than the processor with this model: small models often are not. One that opens and
 * computes nonsense, or fails when it is measured, is passed over, and the reason told when that leaves the processor.
 * No more than two are open at a time.
 *
 * @param bundled Providers this build of the runtime brings along.
 * @throws Whatever opening on `cpu` fails with.
 */
export async function chooseDevice<T extends DeviceTrial>(
  device: DeviceName,
  bundled: readonly ExecutionProvider[],
  open: (provider: ExecutionProvider) => Promise<T>,
): Promise<DeviceChoice<T>> {
  const openChecked = async (provider: ExecutionProvider): Promise<T> => {
    const trial = await open(provider);
    try {
      trial.check();
    } catch (error) {
      await letGo(trial);
      throw error;
    }
    return trial;
  };
  const onProcessor = async (fallbackReason: string | null): Promise<DeviceChoice<T>> => ({
    provider: 'cpu',
    trial: await openChecked('cpu'),
    fallbackReason,
  });
  const { provider: asked } = splitDeviceName(device);
  if (asked === 'cpu') return onProcessor(null);
  if (asked !== 'auto') {
    if (!bundled.includes(asked))
      return onProcessor(`The device ${device} is not available with this platform’s ONNX Runtime.`);
    try {
      return { provider: asked, trial: await openChecked(asked), fallbackReason: null };
    } catch (error) {
      return onProcessor(errorMessage(error));
    }
  }
  return chooseFastest(bundled, open, onProcessor);
}

/** The fastest accelerator that works, or the processor where none is worth it. */
async function chooseFastest<T extends DeviceTrial>(
  bundled: readonly ExecutionProvider[],
  open: (provider: ExecutionProvider) => Promise<T>,
  onProcessor: (fallbackReason: string | null) => Promise<DeviceChoice<T>>,
): Promise<DeviceChoice<T>> {
  const failures: string[] = [];
  let fastest: { readonly provider: ExecutionProvider; readonly trial: T; readonly pace: number } | undefined;
  for (const provider of ACCELERATORS.filter((candidate) => bundled.includes(candidate))) {
    // Not there, or not for this model: `auto` asked for nothing in particular, so nothing was denied.
    const trial = await open(provider).catch(() => undefined);
    if (trial === undefined) continue;
    try {
      trial.check();
      const pace = await trial.measure();
      const slower = fastest === undefined || pace > fastest.pace ? fastest?.trial : trial;
      if (slower !== trial) fastest = { provider, trial, pace };
      if (slower !== undefined) await letGo(slower);
    } catch (error) {
      // It was opened; what it then computes is nonsense, or a run of common size more than it can do. That is worth telling.
      failures.push(`The device ${provider} was opened, but cannot be used (${errorMessage(error)}).`);
      await letGo(trial);
    }
  }
  const fallbackReason = failures.length === 0 ? null : failures.join(' ');
  if (fastest === undefined) return onProcessor(fallbackReason);
  // A processor that fails where an accelerator works is no reason to fail too.
  const processor = await onProcessor(fallbackReason).catch(() => undefined);
  const processorPace = (await processor?.trial.measure().catch(() => 0)) ?? 0;
  if (processor !== undefined && fastest.pace < WORTH_IT * processorPace) {
    await letGo(fastest.trial);
    return processor;
  }
  if (processor !== undefined) await letGo(processor.trial);
  return { provider: fastest.provider, trial: fastest.trial, fallbackReason: null };
}

/** What failed may fail at this too, and nothing is lost by it. */
async function letGo(trial: DeviceTrial): Promise<void> {
  await trial.release().catch(() => undefined);
}
