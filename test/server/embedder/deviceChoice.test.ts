import { describe, expect, it } from 'vitest';
import { TesseraError } from '../../../src/base/errors.ts';
import { type DeviceTrial, chooseDevice } from '../../../src/embedder/deviceChoice.ts';
import type { KnownDevice } from '../../../src/embedder/knownDevices.ts';
import type { ExecutionProvider } from '../../../src/protocol/embedder.ts';

/**
 * A machine where some devices work, with the tokens per second each reaches, or an error they fail with once opened; the others fail
 * to open.
 */
function machine(
  speeds: Partial<Record<ExecutionProvider, number | Error>>,
  nonsense: readonly ExecutionProvider[] = [],
  isLookUp = false,
) {
  const released: ExecutionProvider[] = [];
  const opened: ExecutionProvider[] = [];
  const sure: boolean[] = [];
  const open = (provider: ExecutionProvider): Promise<DeviceTrial> => {
    opened.push(provider);
    const speed = speeds[provider];
    if (speed === undefined) return Promise.reject(new Error(`${provider} says no`));
    return Promise.resolve({
      check: () => {
        if (nonsense.includes(provider)) throw new Error(`${provider} computes nonsense`);
      },
      measure: () => (speed instanceof Error ? Promise.reject(speed) : Promise.resolve(speed)),
      looksStatic: () => Promise.resolve(isLookUp && provider === 'cpu'),
      release: () => Promise.resolve(void released.push(provider)),
    });
  };
  const choose = async (
    device: ExecutionProvider | 'auto',
    bundled: readonly ExecutionProvider[],
    known?: KnownDevice,
  ) => {
    const { provider, fallbackReason, isSure } = await chooseDevice(device, bundled, open, known);
    sure.push(isSure);
    return { provider, fallbackReason, released };
  };
  return { choose, open, opened, sure };
}

describe('the device', () => {
  it('asked for by name is taken when it works, however fast it is', async () => {
    const { choose } = machine({ cpu: 100, cuda: 1 });
    expect(await choose('cuda', ['cpu', 'cuda'])).toEqual({ provider: 'cuda', fallbackReason: null, released: [] });
  });

  it('asked for by name gives way to the processor, with the reason', async () => {
    const { choose } = machine({ cpu: 100 });
    expect(await choose('cuda', ['cpu', 'cuda'])).toMatchObject({ provider: 'cpu', fallbackReason: 'cuda says no' });
    expect(await choose('dml', ['cpu'])).toMatchObject({
      provider: 'cpu',
      fallbackReason: expect.stringContaining('dml') as string,
    });
  });

  it('left open is the accelerator that works and is faster than the processor', async () => {
    const { choose } = machine({ cpu: 100, webgpu: 500 });
    expect(await choose('auto', ['cpu', 'cuda', 'webgpu'])).toEqual({
      provider: 'webgpu',
      fallbackReason: null,
      released: ['cpu'],
    });
  });

  it('left open is the fastest of several accelerators, the first where they are as fast', async () => {
    const three = ['cpu', 'coreml', 'webgpu'] as const;
    expect(await machine({ cpu: 100, coreml: 50, webgpu: 500 }).choose('auto', three)).toEqual({
      provider: 'webgpu',
      fallbackReason: null,
      released: ['coreml', 'cpu'],
    });
    expect(await machine({ cpu: 100, coreml: 200, webgpu: 220 }).choose('auto', three)).toEqual({
      provider: 'coreml',
      fallbackReason: null,
      released: ['cpu', 'webgpu'],
    });
    expect(await machine({ cpu: 100, coreml: 50, webgpu: 110 }).choose('auto', three)).toEqual({
      provider: 'cpu',
      fallbackReason: null,
      released: ['coreml', 'webgpu'],
    });
  });

  it('left open is one that is far faster than the processor, and no other is opened then', async () => {
    const { choose, opened } = machine({ cpu: 100, cuda: 900, webgpu: 5000 });
    expect(await choose('auto', ['cpu', 'cuda', 'webgpu'])).toMatchObject({ provider: 'cuda' });
    expect(opened).toEqual(['cpu', 'cuda']);
  });

  it('left open is not sure where something failed that may work another time', async () => {
    const outOfMemory = new TesseraError('out-of-memory', 'There was not enough memory.');
    for (const [speeds, nonsense, isSure] of [
      [{ cpu: 100 }, [], true],
      [{ cpu: 100, cuda: new Error('busy') }, [], false],
      [{ cpu: 100, cuda: 900 }, ['cuda'], false],
      [{ cpu: new Error('too little memory'), cuda: 900 }, [], false],
      [{ cuda: 900 }, [], false],
    ] as const) {
      const { choose, sure } = machine(speeds, nonsense);
      await choose('auto', ['cpu', 'cuda']);
      expect(sure).toEqual([isSure]);
    }
    const gone = machine({ cpu: 100 });
    await gone.choose('auto', ['cpu', 'cuda'], { provider: 'cuda', fallbackReason: null, isSure: true });
    expect(gone.sure).toEqual([false]);
    // Nothing to compare with: the second is tried, too.
    const two = machine({ cpu: new Error('too little memory'), coreml: 10, webgpu: 500 });
    expect(await two.choose('auto', ['cpu', 'coreml', 'webgpu'])).toMatchObject({ provider: 'webgpu' });
    const opens = (provider: ExecutionProvider): Promise<DeviceTrial> =>
      provider === 'cpu' ? machine({ cpu: 1 }).open('cpu') : Promise.reject(outOfMemory);
    expect(await chooseDevice('auto', ['cpu', 'cuda'], opens)).toMatchObject({ provider: 'cpu', isSure: false });
  });

  it('left open is the processor where an accelerator gains too little, or there is none', async () => {
    expect(await machine({ cpu: 100, webgpu: 110 }).choose('auto', ['cpu', 'webgpu'])).toEqual({
      provider: 'cpu',
      fallbackReason: null,
      released: ['webgpu'],
    });
    expect(await machine({ cpu: 100 }).choose('auto', ['cpu', 'webgpu'])).toMatchObject({
      provider: 'cpu',
      fallbackReason: null,
    });
  });

  it('left open is the next that works where one opens and then fails at real work', async () => {
    const { choose } = machine({ cpu: 100, cuda: new Error('no kernel image'), webgpu: 500 });
    expect(await choose('auto', ['cpu', 'cuda', 'webgpu'])).toEqual({
      provider: 'webgpu',
      fallbackReason: null,
      released: ['cuda', 'cpu'],
    });
  });

  it('left open is the processor, with the reason, where the only accelerator opens and then fails at real work', async () => {
    const { choose } = machine({ cpu: 100, cuda: new Error('no kernel image') });
    expect(await choose('auto', ['cpu', 'cuda'])).toEqual({
      provider: 'cpu',
      fallbackReason: expect.stringContaining('no kernel image') as string,
      released: ['cuda'],
    });
  });

  it('left open is the processor for a model that only looks vectors up, and no other is even opened', async () => {
    const { choose, opened } = machine({ cpu: 100, webgpu: 500 }, [], true);
    expect(await choose('auto', ['cpu', 'webgpu'])).toEqual({ provider: 'cpu', fallbackReason: null, released: [] });
    expect(opened).toEqual(['cpu']);
  });

  it('left open is what it was before, and that alone is opened as long as it works', async () => {
    const webgpu: KnownDevice = { provider: 'webgpu', fallbackReason: null, isSure: true };
    const cpu: KnownDevice = { provider: 'cpu', fallbackReason: 'cuda was odd', isSure: true };
    const fine = machine({ cpu: 100, cuda: 900, webgpu: 500 });
    expect(await fine.choose('auto', ['cpu', 'cuda', 'webgpu'], webgpu)).toEqual({
      provider: 'webgpu',
      fallbackReason: null,
      released: [],
    });
    expect(await fine.choose('auto', ['cpu', 'cuda', 'webgpu'], cpu)).toEqual({
      provider: 'cpu',
      fallbackReason: 'cuda was odd',
      released: [],
    });
    expect(fine.opened).toEqual(['webgpu', 'cpu']);
    for (const broken of [machine({ cpu: 100, cuda: 900 }), machine({ cpu: 100, cuda: 900, webgpu: 1 }, ['webgpu'])])
      expect(await broken.choose('auto', ['cpu', 'cuda', 'webgpu'], webgpu)).toMatchObject({
        provider: 'cuda',
      });
    expect(await fine.choose('auto', ['cpu', 'cuda'], webgpu)).toMatchObject({ provider: 'cuda' });
  });

  it('that computes nonsense is not taken, however fast it is, and the reason is told', async () => {
    const { choose } = machine({ cpu: 100, cuda: 900 }, ['cuda']);
    const fallback = {
      provider: 'cpu',
      fallbackReason: expect.stringContaining('cuda computes nonsense') as string,
      released: ['cuda'],
    };
    expect(await choose('cuda', ['cpu', 'cuda'])).toEqual(fallback);
    expect(await machine({ cpu: 100, cuda: 900 }, ['cuda']).choose('auto', ['cpu', 'cuda'])).toEqual(fallback);
    await expect(machine({ cpu: 100 }, ['cpu']).choose('cpu', ['cpu'])).rejects.toThrow('cpu computes nonsense');
  });

  it('left open is an accelerator that works where the processor fails at real work', async () => {
    const { choose } = machine({ cpu: new Error('too little memory'), webgpu: 500 });
    expect(await choose('auto', ['cpu', 'webgpu'])).toMatchObject({ provider: 'webgpu', fallbackReason: null });
  });

  it('left open is an accelerator that works where the processor cannot even be opened', async () => {
    expect(await machine({ webgpu: 500 }).choose('auto', ['cpu', 'webgpu'])).toMatchObject({ provider: 'webgpu' });
  });

  it('that fails even on the processor fails with that error', async () => {
    await expect(machine({}).choose('auto', ['cpu', 'webgpu'])).rejects.toThrow('cpu says no');
  });
});
