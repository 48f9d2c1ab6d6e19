import { errorMessage } from '../base/errors.ts';
import { splitDeviceName } from '../protocol/deviceNames.ts';
import type { DeviceName, ExecutionProvider } from '../protocol/embedder.ts';
import type { KnownDevice } from './knownDevices.ts';

/** A model opened on one device. */
export interface DeviceTrial {
  /** Throws, with a sentence, where what the device computes is of no use. */
  check(): void;
  /** Tokens per second, at the size of runs the device starts from if it is quick. Rejects with whatever a run does. */
  measure(): Promise<number>;
  /** Whether the model only looks vectors up, which no accelerator does faster. */
  looksStatic(): Promise<boolean>;
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
 * computes nonsense, or fails when it is measured, is passed over, and the reason told when that leaves the processor. For
 * models that only look vectors up none is even opened, which takes a second that a first search waits for. No more than two are open at a time.
 *
 * @param bundled Providers this build of the runtime brings along.
 * @param known What `auto` came to before: it alone is opened, as long as it works.
 * @throws Whatever opening on `cpu` fails with.
 */
export async function chooseDevice<T extends DeviceTrial>(
  device: DeviceName,
  bundled: readonly ExecutionProvider[],
  open: (provider: ExecutionProvider) => Promise<T>,
  known?: KnownDevice,
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
  if (known !== undefined && bundled.includes(known.provider)) {
    const trial = await openChecked(known.provider).catch(() => undefined);
    if (trial !== undefined) return { ...known, trial };
  }
  return chooseFastest(bundled, open, onProcessor);
}

/** The fastest accelerator that works, or the processor where none is worth it. */
async function chooseFastest<T extends DeviceTrial>(
  bundled: readonly ExecutionProvider[],
  open: (provider: ExecutionProvider) => Promise<T>,
  onProcessor: (fallbackReason: string | null) => Promise<DeviceChoice<T>>,
): Promise<DeviceChoice<T>> {
  const candidates = ACCELERATORS.filter((candidate) => bundled.includes(candidate));
  if (candidates.length === 0) return onProcessor(null);
  let best: Measured<T> | undefined;
  let processorError: unknown;
  try {
    best = { ...(await onProcessor(null)), pace: undefined };
  } catch (error) {
    // No reason to fail too where an accelerator works.
    processorError = error;
  }
  if (best !== undefined && (await best.trial.looksStatic().catch(() => false)))
    return { ...best, fallbackReason: null };
  const failures: string[] = [];
  for (const provider of candidates) {
    // Not there, or not for this model: `auto` asked for nothing in particular, so nothing was denied.
    const trial = await open(provider).catch(() => undefined);
    if (trial === undefined) continue;
    try {
      trial.check();
      const pace = await trial.measure();
      // Not before there is something to compare it with.
      if (best !== undefined) best = { ...best, pace: best.pace ?? (await best.trial.measure().catch(() => 0)) };
      const loser = isWorthIt(pace, best) ? best?.trial : trial;
      if (loser !== trial) best = { provider, trial, pace };
      if (loser !== undefined) await letGo(loser);
    } catch (error) {
      // It was opened; what it then computes is nonsense, or a run of common size more than it can do. That is worth telling.
      failures.push(`The device ${provider} was opened, but cannot be used (${errorMessage(error)}).`);
      await letGo(trial);
    }
  }
  if (best === undefined) throw processorError;
  const isDenied = best.provider === 'cpu' && failures.length > 0;
  return { provider: best.provider, trial: best.trial, fallbackReason: isDenied ? failures.join(' ') : null };
}

/** The fastest so far. */
interface Measured<T> {
  readonly provider: ExecutionProvider;
  readonly trial: T;
  /** Tokens a second; undefined before it was measured. */
  readonly pace: number | undefined;
}

function isWorthIt(pace: number, best: Omit<Measured<unknown>, 'trial'> | undefined): boolean {
  if (best?.pace === undefined) return true;
  return best.provider === 'cpu' ? pace >= WORTH_IT * best.pace : pace > best.pace;
}

/** What failed may fail at this too, and nothing is lost by it. */
async function letGo(trial: DeviceTrial): Promise<void> {
  await trial.release().catch(() => undefined);
}
