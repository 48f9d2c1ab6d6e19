import { errorMessage, isTesseraError } from '../base/errors.ts';
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

/** The device, and the model opened on it. */
export interface DeviceChoice<T extends DeviceTrial> extends KnownDevice {
  readonly trial: T;
}

/** For `auto`, in order of preference where they are as fast as each other. */
const ACCELERATORS: readonly ExecutionProvider[] = ['cuda', 'coreml', 'dml', 'webgpu'];
/** An accelerator has to beat what comes before it by this much: it costs memory others want, and a close race is noise. */
const WORTH_IT = 1.2;
/** Where one is so many times as fast as the processor no other is opened: it takes time, and drivers crash. */
const CLEAR_WIN = 3;

/**
 * Opens a model on the device asked for, or on `cpu` when that can't be had. `auto` takes the fastest accelerator that
 * works, or the first that is three times as fast as the processor, if it is measured to be faster than the processor with this model: small models often are not. One that opens and
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
    isSure: true,
  });
  const { provider: asked } = splitDeviceName(device);
  if (asked === 'cpu') return onProcessor(null);
  if (asked !== 'auto') {
    if (!bundled.includes(asked))
      return onProcessor(`The device ${device} is not available with this platform’s ONNX Runtime.`);
    try {
      return { provider: asked, trial: await openChecked(asked), fallbackReason: null, isSure: true };
    } catch (error) {
      return onProcessor(errorMessage(error));
    }
  }
  if (known === undefined || !bundled.includes(known.provider)) return chooseFastest(bundled, open, onProcessor);
  const trial = await openChecked(known.provider).catch(() => undefined);
  if (trial !== undefined) return { ...known, trial };
  // It may be back soon.
  return { ...(await chooseFastest(bundled, open, onProcessor)), isSure: false };
}

/** The fastest accelerator that works, the first that is far faster than the processor, or that where none is worth it. */
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
    const { trial } = await onProcessor(null);
    best = { provider: 'cpu', trial, pace: undefined };
  } catch (error) {
    // No reason to fail too where an accelerator works.
    processorError = error;
  }
  if (best !== undefined && (await best.trial.looksStatic().catch(() => false)))
    return { provider: 'cpu', trial: best.trial, fallbackReason: null, isSure: true };
  const failures: string[] = [];
  let isSure = best !== undefined;
  let processorPace: number | undefined;
  for (const provider of candidates) {
    const tried = await timeOn(provider, open);
    if (!tried.works) {
      if (tried.failure !== undefined) failures.push(tried.failure);
      isSure &&= !tried.mayWorkAgain;
      continue;
    }
    const { trial, pace } = tried;
    // Not before there is something to compare it with.
    if (best?.provider === 'cpu' && processorPace === undefined) {
      processorPace = await best.trial.measure().catch(() => 0);
      isSure &&= processorPace > 0;
      best = { ...best, pace: processorPace };
    }
    const isBetter = best?.pace === undefined || pace >= WORTH_IT * best.pace;
    const loser = isBetter ? best?.trial : trial;
    if (isBetter) best = { provider, trial, pace };
    if (loser !== undefined) await letGo(loser);
    if (processorPace !== undefined && processorPace > 0 && pace >= CLEAR_WIN * processorPace) break;
  }
  if (best === undefined) throw processorError;
  const isDenied = best.provider === 'cpu' && failures.length > 0;
  return { provider: best.provider, trial: best.trial, fallbackReason: isDenied ? failures.join(' ') : null, isSure };
}

/** The fastest so far. */
interface Measured<T> {
  readonly provider: ExecutionProvider;
  readonly trial: T;
  /** Tokens a second; undefined before it was measured. */
  readonly pace: number | undefined;
}

type Tried<T> =
  | { readonly works: true; readonly trial: T; readonly pace: number }
  | { readonly works: false; readonly failure: string | undefined; readonly mayWorkAgain: boolean };

async function timeOn<T extends DeviceTrial>(
  provider: ExecutionProvider,
  open: (provider: ExecutionProvider) => Promise<T>,
): Promise<Tried<T>> {
  let trial: T;
  try {
    trial = await open(provider);
  } catch (error) {
    // Not there, or not for this model: `auto` asked for nothing in particular, so nothing was denied.
    return { works: false, failure: undefined, mayWorkAgain: isTesseraError(error, 'out-of-memory') };
  }
  try {
    trial.check();
    return { works: true, trial, pace: await trial.measure() };
  } catch (error) {
    // It was opened; what it then computes is nonsense, or a run of common size more than it can do. That is worth telling.
    await letGo(trial);
    const failure = `The device ${provider} was opened, but cannot be used (${errorMessage(error)}).`;
    return { works: false, failure, mayWorkAgain: true };
  }
}

/** What failed may fail at this too, and nothing is lost by it. */
async function letGo(trial: DeviceTrial): Promise<void> {
  await trial.release().catch(() => undefined);
}
