import { Disposable } from '../base/disposable.ts';
import type { LogRecord } from '../base/logger.ts';
import type { MessageLink } from '../process/messageLink.ts';
import type { RequestHandlers } from '../process/methodTypes.ts';
import { RequestServer } from '../process/requestServer.ts';
import type { ServerEvents, ServerRequests } from '../protocol/server.ts';
import type { Engine } from './engine.ts';
import type { FolderIndex } from './folderIndex.ts';

/** Answers the extension host's requests with an engine. A request that fails is answered so and changes nothing else. */
export class IndexServer extends Disposable {
  readonly #engine: Engine;
  readonly #server: RequestServer<ServerRequests, ServerEvents>;
  readonly #watched = new WeakSet<FolderIndex>();

  constructor(link: MessageLink, engine: Engine) {
    super();
    this.#engine = engine;
    this.#server = this.own(new RequestServer<ServerRequests, ServerEvents>(link, this.#handlers()));
  }

  /** Says that requests are welcome. */
  start(): void {
    this.#server.emit('ready', null);
  }

  log(record: LogRecord): void {
    this.#server.emit('log', record);
  }

  #handlers(): RequestHandlers<ServerRequests> {
    const engine = this.#engine;
    return {
      open: async ({ folder, indexDir, settings, retry = false }, signal) => {
        const index = await engine.folder({ folder, indexDir, settings });
        this.#watch(index);
        if (retry) index.forgiveEmbedder();
        await index.open(signal);
        void engine.prepareSearch(folder);
        return index.status();
      },
      close: async ({ folder }) => {
        await engine.closeFolder(folder);
        this.#server.emit('state', { folder, state: { kind: 'closed' } });
        return null;
      },
      index: ({ folder, ...request }, signal) => {
        const index = engine.opened(folder);
        index.forgiveEmbedder();
        return index.index(request, signal);
      },
      changed: ({ folder, paths }) => {
        engine.opened(folder).changed(paths);
        return Promise.resolve(null);
      },
      pause: ({ folder }) => {
        engine.opened(folder).pause();
        return Promise.resolve(null);
      },
      resume: ({ folder }) => {
        engine.opened(folder).resume();
        return Promise.resolve(null);
      },
      typing: () => {
        engine.noteTyping();
        return Promise.resolve(null);
      },
      search: (params, signal) => engine.search(params, signal),
      similar: (params, signal) => engine.similar(params, signal),
      status: ({ folder }) => engine.opened(folder).status(),
      fileState: ({ folder, path }) => engine.opened(folder).fileState(path),
      clear: async ({ folder }) => {
        await engine.opened(folder).clear();
        return null;
      },
    };
  }

  #watch(index: FolderIndex): void {
    if (this.#watched.has(index)) return;
    this.#watched.add(index);
    const { folder } = index;
    index.onState((state) => this.#server.emit('state', { folder, state }));
    index.onCommitted((paths) => this.#server.emit('committed', { folder, paths }));
  }
}
