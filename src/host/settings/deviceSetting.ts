import { errorMessage } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { parseDeviceNames } from '../../protocol/deviceNames.ts';
import type { EmbedderSettings } from '../../protocol/embedder.ts';

/** `tessera.embedder.device`, which is text a person wrote. Logs each value that cannot be read, once: folders read it often. */
export class DeviceSetting {
  readonly #logger: Logger;
  readonly #logged = new Set<string>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** What the value names; `auto` when it cannot be read, which the settings editor says too, where it stands. */
  read(value: unknown): Pick<EmbedderSettings, 'device' | 'devices'> {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    try {
      const devices = parseDeviceNames(text, 'tessera.embedder.device');
      return devices.length > 1 ? { device: devices[0], devices } : { device: devices[0] };
    } catch (error) {
      if (!this.#logged.has(text)) {
        this.#logged.add(text);
        this.#logger.warn('a setting cannot be read, auto is used', { message: errorMessage(error) });
      }
      return { device: 'auto' };
    }
  }
}
