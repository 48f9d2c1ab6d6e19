import type { Clock } from '../../base/clock.ts';
import type { CancellationSignal } from '../../base/cancellation.ts';
import { Disposable } from '../../base/disposable.ts';
import { Emitter } from '../../base/event.ts';
import type { Logger, LogRecord } from '../../base/logger.ts';
import { type ProcessState, ProcessSupervisor } from '../../process/processSupervisor.ts';
import { spawnChild } from '../../process/childProcess.ts';
import type { KnownName } from '../../process/methodTypes.ts';
import type { ServerEvents, ServerRequests } from '../../protocol/server.ts';
import type { Params, Result } from '../../protocol/wire.ts';

export interface IndexServerOptions {
  /** The server's bundle. */
  readonly modulePath: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Receives what the server itself logs. */
  readonly onLog: (record: LogRecord) => void;
}

/**
 * The index server as the extension host sees it: one child process, started when it is first needed and again, by the
 * restart policy, when it dies. Its generation counts starts: what was opened in one is not open in the next.
 */
export class IndexServer extends Disposable {
  readonly #supervisor: ProcessSupervisor<ServerRequests, ServerEvents>;
  readonly #folderState = this.own(new Emitter<ServerEvents['state']>());
  readonly #committed = this.own(new Emitter<ServerEvents['committed']>());
  readonly onFolderState = this.#folderState.event;
  readonly onCommitted = this.#committed.event;
  readonly onState;
  readonly onDeath;

  constructor({ modulePath, clock, logger, onLog }: IndexServerOptions) {
    super();
    this.#supervisor = this.own(
      new ProcessSupervisor<ServerRequests, ServerEvents>({
        name: 'index server',
        spawn: () => spawnChild({ modulePath, lowPriority: true }),
        clock,
        logger,
        keepAlive: true,
        prepare: ({ client }) => {
          client.on('state', (change) => this.#folderState.fire(change));
          client.on('committed', (change) => this.#committed.fire(change));
          client.on('log', onLog);
          return Promise.resolve();
        },
      }),
    );
    this.onState = this.#supervisor.onState;
    this.onDeath = this.#supervisor.onDeath;
  }

  get state(): ProcessState {
    return this.#supervisor.state;
  }

  /** Generation of the running server, started first when there is none. */
  async connect(): Promise<number> {
    return (await this.#supervisor.connect()).generation;
  }

  /** Asks the server. @throws TesseraError the server's own, `cancelled`, or `process-exited` when it died meanwhile. */
  async request<M extends KnownName<ServerRequests>>(
    method: M,
    params: Params<ServerRequests, M>,
    signal?: CancellationSignal,
  ): Promise<Result<ServerRequests, M>> {
    const { client } = await this.#supervisor.connect();
    return client.request(method, params, signal);
  }

  /** Ends the server and starts it afresh, whatever happened before. */
  async restart(): Promise<void> {
    await this.#supervisor.stop();
    this.#supervisor.forgive();
    await this.#supervisor.connect();
  }
}
