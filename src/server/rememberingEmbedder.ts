import { createHash } from 'node:crypto';
import { readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { CancellationSignal } from '../base/cancellation.ts';
import { Disposable } from '../base/disposable.ts';
import { TesseraError, errorMessage } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type {
  EmbedParams,
  EmbedderSettings,
  ModelInfo,
  TokenVectors,
  TokenVectorsParams,
} from '../protocol/embedder.ts';
import { SCOPES, type Scope } from '../protocol/scope.ts';
import type { Embedder } from './embedder/embedder.ts';
import { errorCode } from './scanner/fileErrors.ts';

export interface RememberingOptions {
  readonly embedder: Embedder;
  readonly settings: Pick<EmbedderSettings, 'models' | 'device' | 'devices'>;
  /** The embedder's program: another one may identify models in another way. */
  readonly entry: string;
  /** Where it is remembered; nothing is where its folder does not exist. */
  readonly file: string;
  readonly logger: Logger;
}

type Models = Readonly<Record<Scope, ModelInfo>>;

interface Remembered {
  /** What the model's files looked like. */
  readonly stamp: string;
  readonly models: Models;
}

const FORMAT = 1;
const MODELS_KEPT = 16;

/**
 * An embedder that is started only when there is something to embed: what its models are is known from the last time, as long as
 * their files look the same. For commands that are over in a moment, to which loading a model is most of the work. When the models
 * turn out to be others, nothing is embedded: embedding rejects with `model-invalid`, and the next command knows better.
 */
export class RememberingEmbedder extends Disposable implements Embedder {
  readonly #options: RememberingOptions;
  readonly #embedder: Embedder;
  readonly onState: Embedder['onState'];
  #models: Models | undefined;
  #isRemembered = false;

  constructor(options: RememberingOptions) {
    super();
    this.#options = options;
    this.#embedder = this.own(options.embedder);
    this.onState = this.#embedder.onState;
  }

  get state(): Embedder['state'] {
    return this.#embedder.state;
  }

  get restarts(): number {
    return this.#embedder.restarts;
  }

  async open(signal?: CancellationSignal): Promise<Models> {
    if (this.#models !== undefined) return this.#models;
    const known = (await this.#read())[this.#key];
    if (known?.stamp === (await this.#stamp())) {
      this.#isRemembered = true;
      return (this.#models = known.models);
    }
    this.#models = await this.#embedder.open(signal);
    await this.#remember();
    return this.#models;
  }

  async embed(params: EmbedParams, signal?: CancellationSignal) {
    await this.#start(signal);
    return this.#embedder.embed(params, signal);
  }

  async embedTokens(params: TokenVectorsParams, signal?: CancellationSignal): Promise<TokenVectors> {
    await this.#start(signal);
    return this.#embedder.embedTokens(params, signal);
  }

  async countTokens(texts: readonly string[], scope: Scope, signal?: CancellationSignal): Promise<Uint32Array> {
    await this.#start(signal);
    return this.#embedder.countTokens(texts, scope, signal);
  }

  metrics(): ReturnType<Embedder['metrics']> {
    return this.#embedder.metrics();
  }

  forgive(): void {
    this.#embedder.forgive();
  }

  /** Loads the models and sees to it that they are what they were said to be; they may be on another device, which is remembered. */
  async #start(signal: CancellationSignal | undefined): Promise<void> {
    const models = await this.#embedder.open(signal);
    const said = (this.#models ??= models);
    const other = SCOPES.find(
      (scope) => models[scope].id !== said[scope].id || models[scope].dimension !== said[scope].dimension,
    );
    if (other !== undefined) {
      await rm(this.#options.file, { force: true });
      const { name } = models[other];
      throw new TesseraError('model-invalid', `The model ${name} is another one than last time; run this again.`);
    }
    const isSame = JSON.stringify(models) === JSON.stringify(said);
    this.#models = models;
    if (!isSame || !this.#isRemembered) await this.#remember();
  }

  get #key(): string {
    const { models, device, devices = [device] } = this.#options.settings;
    return JSON.stringify([devices.join(), ...SCOPES.map((scope) => models[scope])]);
  }

  /** Sizes and times of every file a model may be made of. */
  async #stamp(): Promise<string> {
    const { entry, settings } = this.#options;
    const folders = [...new Set(SCOPES.map((scope) => settings.models[scope]))];
    const lists = await Promise.all(folders.flatMap((folder) => [folder, path.join(folder, 'onnx')]).map(filesIn));
    const hash = createHash('sha256');
    for (const file of [entry, ...lists.flat()]) {
      const { size, mtimeMs, ctimeMs } = await stat(file);
      hash.update(`${file}\0${size}\0${mtimeMs}\0${ctimeMs}\0`);
    }
    return hash.digest('base64url');
  }

  /** Damaged or of another version, it is as if nothing was known. */
  async #read(): Promise<Readonly<Record<string, Remembered | undefined>>> {
    const text = await readFile(this.#options.file, 'utf8').catch(() => '');
    if (text === '') return {};
    try {
      const value: unknown = JSON.parse(text);
      return isFile(value) ? value.known : {};
    } catch {
      return {};
    }
  }

  async #remember(): Promise<void> {
    const { file, logger } = this.#options;
    if (this.#models === undefined) return;
    try {
      const known = { ...(await this.#read()), [this.#key]: { stamp: await this.#stamp(), models: this.#models } };
      const kept = Object.fromEntries(Object.entries(known).slice(-MODELS_KEPT));
      const whole = `${file}.${process.pid}`;
      await writeFile(whole, JSON.stringify({ format: FORMAT, known: kept }));
      await rename(whole, file);
      this.#isRemembered = true;
    } catch (error) {
      // Where no index was made yet there is no place for it; it costs the next command the time of loading.
      if (errorCode(error) !== 'ENOENT')
        logger.warn('what the models are was not kept', { error: errorMessage(error) });
    }
  }
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.join(folder, entry.name))
    .sort();
}

function isFile(value: unknown): value is { readonly known: Readonly<Record<string, Remembered>> } {
  return (
    isRecord(value) &&
    value['format'] === FORMAT &&
    isRecord(value['known']) &&
    Object.values(value['known']).every(isRemembered)
  );
}

function isRemembered(value: unknown): value is Remembered {
  if (!isRecord(value) || typeof value['stamp'] !== 'string') return false;
  const { models } = value;
  return isRecord(models) && SCOPES.every((scope) => isModel(models[scope]));
}

function isModel(value: unknown): boolean {
  return isRecord(value) && typeof value['id'] === 'string' && typeof value['dimension'] === 'number';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
