import { setImmediate as turn } from 'node:timers/promises';
import { Emitter } from '../../src/base/event.ts';
import type { ChildExit, ChildHandle } from '../../src/process/childProcess.ts';
import { RequestServer } from '../../src/process/requestServer.ts';
import type {
  EmbedPieceParams,
  EmbedderEvents,
  EmbedderRequests,
  ModelInfo,
  OpenParams,
} from '../../src/protocol/embedder.ts';
import { FAKE_MODEL, NO_WORK } from './hashEmbedder.ts';
import { createLinkPair } from './linkPair.ts';

export interface FakeEmbedderOptions {
  readonly onOpen?: (params: OpenParams) => void;
  /** Resolves when the models are loaded; at once by default. */
  readonly loading?: () => Promise<void>;
  /** What differs from `FAKE_MODEL`. */
  readonly model?: (params: OpenParams) => Partial<ModelInfo>;
  /** What differs in the model of docs; the same model by default. */
  readonly docs?: (params: OpenParams) => Partial<ModelInfo>;
  /** Resolves when the texts of a piece have been worked on; at once by default. */
  readonly work?: (params: EmbedPieceParams, open: OpenParams) => Promise<void>;
  readonly residentMb?: () => number;
  /** Threads it has where nobody has chosen a number; 1 by default. */
  readonly machineThreads?: number;
  /** Threads its model takes, whatever it is given. */
  readonly threads?: number;
  /** Answers without the last text's vector. */
  readonly losesLast?: boolean;
  /** Whether it is killed in the run of these texts, as the kernel does when memory runs out, or in another way. */
  readonly diesOf?: (params: EmbedPieceParams, open: OpenParams) => boolean | 'SIGSEGV';
  /** Whether it ends itself after a run of these texts has failed for want of memory. */
  readonly surrendersAt?: (params: EmbedPieceParams) => boolean;
  /** Why its model fails at any text from these on; undefined while it does not. */
  readonly breaksAt?: (params: EmbedPieceParams, open: OpenParams) => string | undefined;
  /** Whether the run of these texts never ends. */
  readonly hangsAt?: (params: EmbedPieceParams) => boolean;
  /** Nothing is said of the beginnings of runs, as when that is still on its way. */
  readonly saysNothing?: boolean;
  readonly onExit?: () => void;
}

/** An embedder process that is none: in this one, over a link in memory. A text's vector is its length; it has a token a character. */
export function fakeEmbedderProcess(options: FakeEmbedderOptions = {}): ChildHandle {
  const [near, far] = createLinkPair();
  const exit = new Emitter<ChildExit>();
  let opened: OpenParams | undefined;
  let runs = 0;
  let textsDone = 0;
  let gone = false;
  const end = (signal: 'SIGKILL' | 'SIGSEGV' | null): void => {
    if (gone) return;
    gone = true;
    exit.fire({ code: signal === null ? 0 : null, signal, stderrTail: '' });
    options.onExit?.();
    near.dispose();
  };
  const leave = (): void => end(null);
  const server = new RequestServer<EmbedderRequests, EmbedderEvents>(far, {
    open: async (params) => {
      opened = params;
      options.onOpen?.(params);
      await options.loading?.();
      const model = { ...FAKE_MODEL, ...options.model?.(params) };
      return { code: model, docs: { ...model, ...options.docs?.(params) } };
    },
    embed: async (params) => {
      if (opened !== undefined) await options.work?.(params, opened);
      const all = params.texts.map((text) => text.length);
      const indices = Uint32Array.from(all.keys());
      const shape = { scope: params.scope, length: Math.max(0, ...all), count: all.length };
      if (options.saysNothing !== true)
        server.emit('runStarted', { ...shape, members: [{ piece: params.piece, indices }] });
      const death = opened !== undefined && options.diesOf?.(params, opened);
      if (death === true || death === 'SIGSEGV') {
        // What it said before arrives, as through a pipe.
        await turn();
        end(death === true ? 'SIGKILL' : death);
        return { failures: [] };
      }
      if (options.hangsAt?.(params) === true) return new Promise(() => undefined);
      if (options.surrendersAt?.(params) === true) {
        server.emit('runEnded', { failed: true });
        await turn();
        end('SIGKILL');
        return { failures: [] };
      }
      server.emit('runEnded', { failed: false });
      const reason = opened === undefined ? undefined : options.breaksAt?.(params, opened);
      if (reason !== undefined) {
        server.emit('broken', { scope: params.scope, reason });
        return new Promise(() => undefined);
      }
      runs += 1;
      textsDone += params.texts.length;
      const texts = options.losesLast === true ? params.texts.slice(0, -1) : params.texts;
      const lengths = texts.map((text) => text.length);
      server.emit('rows', {
        piece: params.piece,
        indices: Uint32Array.from(lengths, (_, index) => index),
        vectors: Float32Array.from(lengths),
        tokenCounts: Uint32Array.from(lengths),
      });
      return { failures: [] };
    },
    embedTokens: ({ texts }) => ({
      vectors: Float32Array.from(texts, () => 1),
      dimension: 1,
      tokenCounts: Uint32Array.from(texts, () => 1),
    }),
    countTokens: ({ texts }) => Uint32Array.from(texts, (text) => text.length),
    metrics: () => {
      const rssMb = options.residentMb?.() ?? 0;
      const { settings, processes, threads: own } = opened ?? { settings: { threads: 1 }, processes: 1, threads: null };
      const all = settings.threads > 0 ? settings.threads : (options.machineThreads ?? 1);
      const threads = options.threads ?? own ?? Math.max(1, Math.floor(all / processes));
      const code = { ...NO_WORK.scopes.code, runs, texts: textsDone };
      return { ...NO_WORK, scopes: { ...NO_WORK.scopes, code }, threads, rssMb, peakRssMb: rssMb };
    },
  });
  server.emit('ready', null);
  return {
    pid: undefined,
    link: near,
    onExit: exit.event,
    onOutput: new Emitter<string>().event,
    stop: leave,
    kill: () => end('SIGKILL'),
    dispose: leave,
  };
}
