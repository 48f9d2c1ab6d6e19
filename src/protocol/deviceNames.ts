import { TesseraError } from '../base/errors.ts';
import { EXECUTION_PROVIDERS, type DeviceName, type ExecutionProvider } from './embedder.ts';

/** Providers of which ONNX Runtime takes the number of a device: for the others it chooses itself. */
const NUMBERED_PROVIDERS: readonly ExecutionProvider[] = ['cuda', 'dml'];

/** A device's provider, and its number where one was named. */
export function splitDeviceName(name: DeviceName): {
  readonly provider: ExecutionProvider | 'auto';
  readonly deviceId: number | null;
} {
  const [word, id] = name.split(':');
  const provider = EXECUTION_PROVIDERS.find((known) => known === word) ?? 'auto';
  return { provider, deviceId: id === undefined ? null : Number(id) };
}

/**
 * The devices in a list with commas, in its order, their numbers without leading zeros. Throws `invalid-argument` with a sentence
 * about `what` (an option or a setting) when one is unknown, empty, named twice, or its provider both with and without a number.
 */
export function parseDeviceNames(text: string, what: string): readonly [DeviceName, ...DeviceName[]] {
  const examples = `devices as in auto, ${EXECUTION_PROVIDERS.join(', ')}, cuda:1 or several with commas between`;
  const names = text.split(',').map((name) => name.trim());
  const known = names.filter(isDeviceName).map(withPlainNumber);
  const [first, ...others] = known;
  if (first === undefined && text.trim() === '') throw invalid(`${what} is empty; name ${examples}.`);
  if (names.includes('')) throw invalid(`${what} has an empty name between its commas; leave out a comma.`);
  const unknown = names.find((name) => !isDeviceName(name));
  if (unknown !== undefined || first === undefined) {
    throw invalid(`${what} names ${examples}, not “${unknown ?? ''}”.`);
  }
  const twice = known.find((name, index) => known.indexOf(name) < index);
  if (twice !== undefined) throw invalid(`${what} names ${twice} twice; name each device once.`);
  // Without its number a provider may mean the same device.
  const both = NUMBERED_PROVIDERS.find(
    (provider) => known.includes(provider) && known.some((name) => name.startsWith(`${provider}:`)),
  );
  if (both !== undefined) throw invalid(`${what} names ${both} both with and without a number; use one way only.`);
  if (others.length > 0 && known.includes('auto')) {
    throw invalid(`${what} names auto beside other devices; name only those, or auto alone.`);
  }
  return [first, ...others];
}

/** `cuda:1` for `cuda:01`. */
function withPlainNumber(name: DeviceName): DeviceName {
  const plain = name.replace(/:0(?=\d)/, ':');
  return isDeviceName(plain) ? plain : name;
}

function isDeviceName(name: string): name is DeviceName {
  if (name === 'auto') return true;
  const [provider, id, ...rest] = name.split(':');
  if (id === undefined) return EXECUTION_PROVIDERS.some((known) => known === provider);
  return rest.length === 0 && /^\d{1,2}$/.test(id) && NUMBERED_PROVIDERS.some((known) => known === provider);
}

function invalid(message: string): TesseraError {
  return new TesseraError('invalid-argument', message);
}
