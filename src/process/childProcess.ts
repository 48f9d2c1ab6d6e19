import { type ChildProcess, fork } from 'node:child_process';
import os from 'node:os';
import type { DisposableLike } from '../base/disposable.ts';
import type { TesseraError } from '../base/errors.ts';
import { Emitter, type Event } from '../base/event.ts';
import type { WireMessage } from '../protocol/wire.ts';
import { type MessageLink, isWireMessage, peerGone, sendFailure } from './messageLink.ts';

export interface ChildOptions {
  /** The script to run: a bundle in dist/, or a TypeScript source, which Node runs by stripping its types. */
  readonly modulePath: string;
  readonly args?: readonly string[];
  /** Added to this process's environment; `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Runs below everything a person is waiting for. */
  readonly lowPriority?: boolean;
}

export interface ChildExit {
  readonly code: number | null;
  readonly signal: string | null;
  /** The end of what the process wrote to stderr: a native library's last words. */
  readonly stderrTail: string;
}

/** A started child process. Disposing kills it. */
export interface ChildHandle extends DisposableLike {
  readonly pid: number | undefined;
  readonly link: MessageLink;
  /** Fires once, also when the process could not be started at all. */
  readonly onExit: Event<ChildExit>;
  /** Whole lines of stdout and stderr. */
  readonly onOutput: Event<string>;
  /** Asks the child to leave by closing the link, which every entry of ours obeys; kills it after `graceMs`. */
  stop(graceMs: number): void;
  /** Ends a child that does nothing any more; `onExit` tells of it as of any other death. */
  kill(): void;
}

const STDERR_TAIL_CHARS = 4096;

/**
 * Starts a Node child with a link that carries typed arrays. Works from Node, from VS Code's extension host (where
 * `process.execPath` is Electron) and from a TypeScript checkout.
 */
export function spawnChild(options: ChildOptions): ChildHandle {
  const child = fork(options.modulePath, [...(options.args ?? [])], {
    // 'advanced' is structured clone: Float32Array and friends travel as bytes.
    serialization: 'advanced',
    // Neither the parent's debugger port nor its loaders are the child's business.
    execArgv: [],
    env: { ...process.env, ELECTRON_RUN_AS_NODE: '1', NODE_OPTIONS: undefined, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    windowsHide: true,
  } as Parameters<typeof fork>[2] & object);
  if (options.lowPriority === true) lowerPriority(child.pid);
  return new ForkedChild(child);
}

function lowerPriority(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    os.setPriority(pid, os.constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // Politeness only: some sandboxes forbid it, and the process may be gone already.
  }
}

class ForkedChild implements ChildHandle {
  readonly #child: ChildProcess;
  readonly #exit = new Emitter<ChildExit>();
  readonly #output = new Emitter<string>();
  readonly link: MessageLink;
  readonly onExit = this.#exit.event;
  readonly onOutput = this.#output.event;
  #stderrTail = '';
  #gone = false;
  #isLeaving = false;
  #killTimer: NodeJS.Timeout | undefined;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.link = new ForkedChildLink(child);
    child.stdout?.setEncoding('utf8').on(
      'data',
      lines((line) => this.#output.fire(line)),
    );
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderrTail = (this.#stderrTail + text).slice(-STDERR_TAIL_CHARS);
    });
    child.stderr?.on(
      'data',
      lines((line) => this.#output.fire(line)),
    );
    // 'close' rather than 'exit': what the child sent or wrote last has arrived by then.
    child.once('close', (code, signal) => this.#finish(code, signal));
    // After a disconnect of ours Node never counts the channel as closed, and 'close' never comes.
    child.once('exit', (code, signal) => {
      if (this.#isLeaving) this.#finish(code, signal);
    });
    // More than once, perhaps: a kill that is refused is told this way too.
    child.on('error', (error) => {
      this.#stderrTail = (this.#stderrTail + error.message).slice(-STDERR_TAIL_CHARS);
      // A process that never started has no 'close'.
      if (child.pid === undefined) this.#finish(null, null);
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  stop(graceMs: number): void {
    if (this.#gone) return;
    this.#isLeaving = true;
    this.link.dispose();
    this.#killTimer ??= setTimeout(() => this.#child.kill('SIGKILL'), graceMs);
  }

  kill(): void {
    if (!this.#gone) this.#child.kill('SIGKILL');
  }

  dispose(): void {
    this.#isLeaving = true;
    this.link.dispose();
    this.kill();
  }

  #finish(code: number | null, signal: string | null): void {
    if (this.#gone) return;
    this.#gone = true;
    clearTimeout(this.#killTimer);
    // Before the link closes, so that requests are rejected with how the process ended.
    this.#exit.fire({ code, signal, stderrTail: this.#stderrTail });
    this.link.dispose();
  }
}

class ForkedChildLink implements MessageLink {
  readonly #child: ChildProcess;
  readonly #message = new Emitter<WireMessage>();
  readonly #close = new Emitter<void>();
  readonly onMessage = this.#message.event;
  readonly onClose = this.#close.event;
  #closed = false;

  constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (message: unknown) => {
      if (isWireMessage(message)) this.#message.fire(message);
    });
  }

  send(message: WireMessage): TesseraError | undefined {
    if (this.#closed || !this.#child.connected) return peerGone();
    try {
      // A failed write means the child is dying; its exit settles what was pending.
      this.#child.send(message, () => undefined);
      return undefined;
    } catch (error) {
      return sendFailure(message, error);
    }
  }

  dispose(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#child.connected) this.#child.disconnect();
    this.#close.fire();
    this.#message.dispose();
  }
}

/** Cuts a stream of text into whole lines; blank ones are dropped. */
function lines(emit: (line: string) => void): (text: string) => void {
  let rest = '';
  return (text) => {
    const parts = (rest + text).split(/\r?\n/);
    rest = parts.pop() ?? '';
    for (const line of parts) if (line.trim() !== '') emit(line);
  };
}
