import { spawn } from 'node:child_process';
import os from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { DisposableStore } from '../../../src/base/disposable.ts';
import { Emitter } from '../../../src/base/event.ts';
import { SILENT_LOGGER } from '../../../src/base/logger.ts';
import { type ChildExit, type ChildHandle, spawnChild } from '../../../src/process/childProcess.ts';
import { type ProcessDeath, type ProcessState, ProcessSupervisor } from '../../../src/process/processSupervisor.ts';
import { RestartPolicy } from '../../../src/process/restartPolicy.ts';
import { SYSTEM_CLOCK } from '../../../src/process/systemClock.ts';
import type { EchoEvents, EchoRequests } from '../../fakes/echoChild.ts';
import { createLinkPair } from '../../fakes/linkPair.ts';
import { ManualClock } from '../../fakes/manualClock.ts';

const entry = fileURLToPath(new URL('../../fakes/echoChild.ts', import.meta.url));

let owned = new DisposableStore();
afterEach(() => {
  owned.dispose();
  owned = new DisposableStore();
});

type Options = ConstructorParameters<typeof ProcessSupervisor<EchoRequests, EchoEvents>>[0];

function supervise(options: Partial<Options> = {}) {
  const supervisor = owned.add(
    new ProcessSupervisor<EchoRequests, EchoEvents>({
      name: 'echo',
      spawn: () => spawnChild({ modulePath: entry }),
      clock: SYSTEM_CLOCK,
      logger: SILENT_LOGGER,
      ...options,
    }),
  );
  const states: ProcessState['kind'][] = [];
  const deaths: ProcessDeath[] = [];
  supervisor.onState((state) => states.push(state.kind));
  supervisor.onDeath((death) => deaths.push(death));
  return { supervisor, states, deaths };
}

function nextState(supervisor: ProcessSupervisor<EchoRequests, EchoEvents>, kind: ProcessState['kind']): Promise<void> {
  return new Promise((resolve) => {
    const subscription = supervisor.onState((state) => {
      if (state.kind !== kind) return;
      subscription.dispose();
      resolve();
    });
  });
}

describe('a supervised process', () => {
  it('starts when it is first needed and carries typed arrays both ways', async () => {
    const { supervisor, states } = supervise();
    expect(supervisor.state.kind).toBe('stopped');
    const { client } = await supervisor.connect();
    expect(await client.request('double', Float32Array.of(1.5, -2))).toEqual(Float32Array.of(3, -4));
    expect(states).toEqual(['starting', 'running']);
  });

  it('answers a request that cannot be copied, or whose answer cannot, with that error alone', async () => {
    const { supervisor, deaths } = supervise();
    const { client } = await supervisor.connect();
    const unsendable = { code: 'invalid-argument' };
    await expect(client.request('giveFunction', () => undefined)).rejects.toMatchObject(unsendable);
    await expect(client.request('giveFunction', null)).rejects.toMatchObject(unsendable);
    expect(await client.request('double', Float32Array.of(1))).toEqual(Float32Array.of(2));
    expect(deaths).toEqual([]);
  });

  it('that has let go of its channel is out of reach, and nothing is thrown', async () => {
    const child = owned.add(spawnChild({ modulePath: entry }));
    await new Promise<void>((resolve) => child.link.onMessage(() => resolve()));
    const gone = new Promise((resolve) => child.onExit(resolve));
    child.stop(5_000);
    expect(child.link.send({ kind: 'cancel', id: 1 })).toMatchObject({ code: 'process-exited' });
    await gone;
    expect(child.link.send({ kind: 'cancel', id: 1 })).toMatchObject({ code: 'process-exited' });
  });

  it('rejects every pending request when it dies, then is another generation', async () => {
    const { supervisor, deaths } = supervise();
    const first = await supervisor.connect();
    const pending = [first.client.request('hang', null), first.client.request('die', { signal: 'SIGKILL' })];
    for (const request of pending)
      await expect(request).rejects.toMatchObject({ code: 'process-exited', details: { signal: 'SIGKILL' } });
    expect(deaths).toMatchObject([{ generation: 1, signal: 'SIGKILL', code: null }]);
    const second = await supervisor.connect();
    expect(second.generation).toBe(2);
    expect(await second.client.request('double', Float32Array.of(1))).toEqual(Float32Array.of(2));
    await expect(first.client.request('hang', null)).rejects.toMatchObject({ code: 'process-exited' });
  });

  it('tells with what status it ended and what it said last', async () => {
    const { supervisor, deaths } = supervise();
    const { client } = await supervisor.connect();
    await expect(client.request('exit', { code: 3 })).rejects.toMatchObject({ details: { code: 3 } });
    expect(deaths[0]).toMatchObject({ code: 3, stderrTail: 'last words\n' });
  });

  it('comes back by itself when it is to be kept alive', async () => {
    const { supervisor } = supervise({ keepAlive: true });
    const { client } = await supervisor.connect();
    const back = nextState(supervisor, 'running');
    client.request('die', { signal: 'SIGKILL' }).catch(() => undefined);
    await back;
    expect(supervisor.state).toMatchObject({ kind: 'running', generation: 2 });
  });

  it('that dies again and again is given up, until that is forgiven', async () => {
    const { supervisor } = supervise({
      spawn: () => spawnChild({ modulePath: entry, args: ['exit-at-start'] }),
      restartPolicy: new RestartPolicy({ maxDeaths: 2, windowMs: 60_000, baseDelayMs: 1, maxDelayMs: 1 }),
    });
    await expect(supervisor.connect()).rejects.toMatchObject({ code: 'process-exited', details: { code: 7 } });
    expect(supervisor.deathCount).toBe(3);
    expect(supervisor.state.kind).toBe('failed');
    await expect(supervisor.connect()).rejects.toMatchObject({ code: 'process-exited' });
    expect(supervisor.deathCount).toBe(3);
    supervisor.forgive();
    await expect(supervisor.connect()).rejects.toMatchObject({ code: 'process-exited' });
    expect(supervisor.deathCount).toBe(6);
  });

  it('that never says it is ready is killed, started again, and called unresponsive when that is no help', async () => {
    const clock = new ManualClock();
    const { supervisor, deaths } = supervise({
      spawn: () => spawnChild({ modulePath: entry, args: ['mute'] }),
      clock,
      startTimeoutMs: 5000,
    });
    const connection = supervisor.connect();
    clock.advance(0);
    clock.advance(5000);
    await vi.waitUntil(() => deaths.length > 0, { timeout: 30_000 });
    expect(supervisor.state).toMatchObject({ kind: 'starting', generation: 2 });
    clock.advance(0);
    clock.advance(5000);
    await expect(connection).rejects.toMatchObject({ code: 'process-unresponsive' });
  });

  it('that does not start in time once is there after its second start', async () => {
    const clock = new ManualClock();
    const starts = [['mute'], []];
    const { supervisor, deaths } = supervise({
      spawn: () => spawnChild({ modulePath: entry, args: starts.shift()! }),
      clock,
      startTimeoutMs: 5000,
    });
    const connection = supervisor.connect();
    clock.advance(0);
    clock.advance(5000);
    await vi.waitUntil(() => deaths.length > 0, { timeout: 30_000 });
    clock.advance(0);
    await expect(connection).resolves.toMatchObject({ generation: 2 });
  });

  it('that starts after it was to be ended is not made use of, and said to be beyond that where it does not end', async () => {
    const clock = new ManualClock();
    const [near, far] = createLinkPair();
    const exit = new Emitter<ChildExit>();
    let kills = 0;
    const stuck: ChildHandle = {
      pid: undefined,
      link: near,
      onExit: exit.event,
      onOutput: new Emitter<string>().event,
      stop: () => undefined,
      kill: () => kills++,
      dispose: () => undefined,
    };
    const prepare = vi.fn();
    const { supervisor, states } = supervise({ spawn: () => stuck, clock, startTimeoutMs: 5000, prepare });
    const connection = supervisor.connect();
    clock.advance(0);
    clock.advance(5000);
    expect(kills).toBe(1);
    far.send({ kind: 'event', name: 'ready', payload: null });
    await setImmediate();
    expect(states).toEqual(['starting']);
    expect(prepare).not.toHaveBeenCalled();
    clock.advance(5000);
    await expect(connection).rejects.toThrow('did not start within 5 s, and could not be ended');
  });

  it('whose script is missing is a death like any other', async () => {
    const { supervisor, deaths } = supervise({
      spawn: () => spawnChild({ modulePath: `${entry}.missing` }),
      restartPolicy: new RestartPolicy({ maxDeaths: 0, windowMs: 1, baseDelayMs: 1, maxDelayMs: 1 }),
    });
    await expect(supervisor.connect()).rejects.toMatchObject({ code: 'process-exited' });
    expect(deaths[0]!.stderrTail).toContain('echoChild.ts.missing');
  });

  it('fails with the error its preparation ended in, without being started again', async () => {
    const { supervisor } = supervise({
      prepare: ({ client }) => client.request('nonsense' as 'hang', null).then(() => undefined),
    });
    await expect(supervisor.connect()).rejects.toMatchObject({ code: 'protocol-violation' });
    expect(supervisor.deathCount).toBe(0);
  });

  it('leaves when asked to, settling what was pending; a later need starts it again', async () => {
    const { supervisor, states, deaths } = supervise();
    const { client } = await supervisor.connect();
    const pending = client.request('hang', null);
    const stopped = supervisor.stop();
    await expect(pending).rejects.toMatchObject({ code: 'disposed' });
    await stopped;
    expect(states).toEqual(['starting', 'running', 'stopping', 'stopped']);
    expect(deaths).toEqual([]);
    expect((await supervisor.connect()).generation).toBe(2);
  });

  it('leaves when asked to while it is being prepared', async () => {
    const { supervisor } = supervise({ prepare: ({ client }) => client.request('hang', null).then(() => undefined) });
    const started = nextState(supervisor, 'starting');
    const connection = supervisor.connect();
    await started;
    const stopped = supervisor.stop();
    await expect(connection).rejects.toMatchObject({ code: 'disposed' });
    await stopped;
    expect(supervisor.state.kind).toBe('stopped');
  });

  it('settles everything when it is disposed while starting', async () => {
    const { supervisor } = supervise();
    const connection = supervisor.connect();
    supervisor.dispose();
    await expect(connection).rejects.toMatchObject({ code: 'disposed' });
    await expect(supervisor.connect()).rejects.toMatchObject({ code: 'disposed' });
  });

  it('settles whoever waits for its end when it is disposed while leaving', async () => {
    const { supervisor } = supervise();
    await supervisor.connect();
    const stopped = supervisor.stop();
    const connection = supervisor.connect();
    supervisor.dispose();
    await stopped;
    await expect(connection).rejects.toMatchObject({ code: 'disposed' });
  });

  it('fails with the reason the system gives for not starting it at all', async () => {
    const { supervisor } = supervise({
      spawn: () => {
        throw new Error('spawn E2BIG');
      },
    });
    await expect(supervisor.connect()).rejects.toThrow('spawn E2BIG');
    expect(supervisor.state.kind).toBe('failed');
  });
});

describe('a child process', () => {
  it('runs as Node even under Electron, with what was added to its environment and without the parent’s options', async () => {
    const { supervisor } = supervise({ spawn: () => spawnChild({ modulePath: entry, env: { TESSERA_TEST: 'yes' } }) });
    const { client } = await supervisor.connect();
    const names = ['ELECTRON_RUN_AS_NODE', 'TESSERA_TEST', 'NODE_OPTIONS'];
    expect(await Promise.all(names.map((name) => client.request('environment', { name })))).toEqual(['1', 'yes', null]);
  });

  it('runs at lower priority when asked to', async () => {
    const { supervisor } = supervise({ spawn: () => spawnChild({ modulePath: entry, lowPriority: true }) });
    const { pid } = await supervisor.connect();
    expect(os.getPriority(pid)).toBeGreaterThan(os.getPriority());
  });

  it('exits when its parent is killed', async () => {
    const parent = spawn(process.execPath, [fileURLToPath(new URL('../../fakes/parentOfEcho.ts', import.meta.url))]);
    const childPid = await new Promise<number>((resolve) =>
      parent.stdout.once('data', (data) => resolve(Number(data))),
    );
    parent.kill('SIGKILL');
    await expect.poll(() => isAlive(childPid), { timeout: 10_000 }).toBe(false);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
