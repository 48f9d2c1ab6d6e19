import { beforeEach, describe, expect, it } from 'vitest';
import { toDisposable } from '../../../src/base/disposable.ts';
import { Emitter } from '../../../src/base/event.ts';
import { TypingNotice } from '../../../src/host/manners/typingNotice.ts';
import type { ProcessState } from '../../../src/process/processSupervisor.ts';
import { ManualClock } from '../../fakes/manualClock.ts';

describe('TypingNotice', () => {
  let clock: ManualClock;
  let keys: Emitter<void>;
  let told: string[];
  let state: ProcessState;
  let notice: TypingNotice;

  beforeEach(() => {
    clock = new ManualClock();
    keys = new Emitter<void>();
    told = [];
    state = { kind: 'running', generation: 1, pid: 1 };
    notice = new TypingNotice({
      server: {
        get state() {
          return state;
        },
        request: (method) => {
          told.push(method);
          return Promise.reject(new Error('The server has gone.'));
        },
      },
      clock,
      onKey: (listener) => {
        const subscription = keys.event(listener);
        return toDisposable(() => subscription.dispose());
      },
    });
    notice.start();
  });

  it('tells the server of the first key, and once a second at the most of those that follow', () => {
    for (let key = 0; key < 30; key++) {
      keys.fire();
      clock.advance(100);
    }
    expect(told).toEqual(['typing', 'typing', 'typing']);
  });

  it('starts no server for a key', () => {
    state = { kind: 'stopped' };
    keys.fire();
    expect(told).toEqual([]);
  });

  it('says nothing any more when it is let go', () => {
    notice.dispose();
    keys.fire();
    expect(told).toEqual([]);
  });
});
