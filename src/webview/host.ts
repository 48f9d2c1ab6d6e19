interface VsCodeApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare function acquireVsCodeApi(): VsCodeApi;

/** What one view and the host say to each other, and what the view saves. */
export interface ViewProtocol {
  readonly toHost: unknown;
  readonly toView: unknown;
  readonly state: unknown;
}

/** The view's line to the extension host, typed by the messages of one view. */
export class Host<P extends ViewProtocol> {
  readonly #api = acquireVsCodeApi();

  send(message: P['toHost']): void {
    this.#api.postMessage(message);
  }

  onMessage(listener: (message: P['toView']) => void): void {
    // Only the extension host can post to this window: the document loads nothing else and embeds nothing.
    window.addEventListener('message', (event) => listener(event.data as P['toView']));
  }

  /** State saved by this same code; undefined the first time. */
  restore(): P['state'] | undefined {
    return this.#api.getState();
  }

  save(state: P['state']): void {
    this.#api.setState(state);
  }
}
