import { afterEach, describe, expect, it } from 'vitest';
import { TesseraError } from '../../../src/base/errors.ts';
import { SILENT_LOGGER } from '../../../src/base/logger.ts';
import { RestartPolicy } from '../../../src/process/restartPolicy.ts';
import { SYSTEM_CLOCK } from '../../../src/process/systemClock.ts';
import { splitDeviceName } from '../../../src/protocol/deviceNames.ts';
import type { DeviceName, EmbedderSettings, ExecutionProvider, OpenParams } from '../../../src/protocol/embedder.ts';
import { DevicesEmbedder } from '../../../src/server/embedder/devicesEmbedder.ts';
import type { Embedder } from '../../../src/server/embedder/embedder.ts';
import { EmbedderClient, type EmbedderClientOptions } from '../../../src/server/embedder/embedderClient.ts';
import { EmbedderPool, sharing } from '../../../src/server/embedder/embedderPool.ts';
import { fakeEmbedderProcess } from '../../fakes/embedderProcess.ts';

let machine: Machine;
afterEach(() => machine.embedder.dispose());

interface MachineOptions {
  /** Devices that work besides the processor. */
  readonly has?: readonly DeviceName[];
  /** What `auto` finds best. */
  readonly best?: DeviceName;
  readonly gpus?: number;
  readonly settings?: Partial<EmbedderSettings>;
  /** Devices whose process ends when it opens them. */
  readonly deadly?: readonly DeviceName[];
  /** Devices that fail at any text, though they open. */
  readonly loses?: readonly DeviceName[];
  readonly modelIsMissing?: boolean;
}

/** A machine with some devices, and the embedder for a list of names. */
class Machine {
  readonly embedder: DevicesEmbedder;
  /** What each process was opened with, in order. */
  readonly opened: OpenParams[] = [];
  /** Devices of the processes that are there. */
  readonly running: DeviceName[] = [];
  /** How often the embedder of a single device was made. */
  singles = 0;
  readonly pieces: DeviceName[] = [];

  constructor(names: readonly [DeviceName, ...DeviceName[]], { has = [], best = 'cpu', ...rest }: MachineOptions) {
    const { gpus = 0, settings, deadly = [], loses = [], modelIsMissing = false } = rest;
    const options: EmbedderClientOptions = {
      settings: {
        models: { code: 'model', docs: 'model' },
        device: names[0],
        ...(names.length > 1 ? { devices: names } : {}),
        threads: 8,
        sessions: 0,
        batchSize: 0,
        memoryCeilingMb: 1_000,
        latencyCeilingMs: 100,
        tunerStateFile: null,
        ...settings,
      },
      spawn: () => {
        let device: DeviceName = 'auto';
        const handle = fakeEmbedderProcess({
          onOpen: (params) => {
            this.opened.push(params);
            ({ device } = params.settings);
            this.running.push(device);
            if (modelIsMissing) throw new TesseraError('model-missing', 'There is no model.');
            if (params.processorOnly === null && deadly.includes(device)) handle.kill();
          },
          model: ({ settings: { device: asked }, processorOnly }) => {
            if (processorOnly !== null) return { device: 'cpu', fallbackReason: processorOnly };
            const found = asked === 'auto' ? best : asked;
            const { provider } = splitDeviceName(found);
            if (provider === 'cpu' || provider === 'auto') return { device: 'cpu' };
            return has.includes(found)
              ? { device: provider }
              : { device: 'cpu', fallbackReason: `The device ${found} is not there.` };
          },
          work: () => {
            this.pieces.push(device);
            return Promise.resolve();
          },
          breaksAt: (_, { processorOnly }) =>
            processorOnly === null && loses.includes(device) ? 'DXGI says removed' : undefined,
          onExit: () => void this.running.splice(this.running.indexOf(device), 1),
        });
        return handle;
      },
      clock: SYSTEM_CLOCK,
      logger: SILENT_LOGGER,
      restartPolicy: new RestartPolicy({ maxDeaths: 1, windowMs: 60_000, baseDelayMs: 1, maxDelayMs: 1 }),
    };
    const createForDevice = (single: EmbedderClientOptions): Embedder => {
      this.singles += 1;
      const { sessions } = single.settings;
      return sessions > 1 ? new EmbedderPool(sharing(single, sessions)) : new EmbedderClient(single);
    };
    this.embedder = new DevicesEmbedder(options, createForDevice, () => Promise.resolve(gpus));
  }

  async embed(count: number): Promise<number[]> {
    const texts = Array.from({ length: count }, (_, index) => 'x'.repeat(1 + (index % 50)));
    const { vectors } = await this.embedder.embed({ texts, role: 'document', scope: 'code', lane: 'bulk' });
    return [...vectors];
  }
}

const graphOf = (provider: ExecutionProvider) => ({ code: provider, docs: provider });

describe('devices named together', () => {
  it('each have a process, which knows its own, and share the work', async () => {
    machine = new Machine(['cuda:0', 'cuda:1'], { has: ['cuda:0', 'cuda:1'] });
    const { code } = await machine.embedder.open();
    expect(code).toMatchObject({ device: 'cuda', devices: ['cuda:0', 'cuda:1'], fallbackReason: null });
    expect(machine.opened.map(({ settings }) => settings.device)).toEqual(['cuda:0', 'cuda:1']);
    expect(machine.opened.map(({ settings }) => settings.graphFor)).toEqual([graphOf('cuda'), graphOf('cuda')]);
    expect(await machine.embed(500)).toEqual(Array.from({ length: 500 }, (_, index) => 1 + (index % 50)));
    expect(new Set(machine.pieces)).toEqual(new Set(['cuda:0', 'cuda:1']));
    const metrics = (await machine.embedder.metrics())!;
    expect(metrics.devices?.map(({ device }) => device)).toEqual(['cuda:0', 'cuda:1']);
  });

  it('load the processor’s graph where one of them is the processor, which has the threads that are left', async () => {
    machine = new Machine(['webgpu', 'cpu'], { has: ['webgpu'] });
    await machine.embedder.open();
    expect(machine.opened.map(({ settings }) => settings.graphFor)).toEqual([graphOf('cpu'), graphOf('cpu')]);
    const ofProcessor = machine.opened.find(({ settings }) => settings.device === 'cpu')!;
    expect(ofProcessor).toMatchObject({ processes: 1, settings: { threads: 7, memoryCeilingMb: 500 } });
  });

  it('of which one cannot be had leave the work to the others, and say why', async () => {
    machine = new Machine(['cuda:0', 'cuda:1', 'cuda:2'], { has: ['cuda:0', 'cuda:2'] });
    const { code } = await machine.embedder.open();
    expect(code).toMatchObject({ devices: ['cuda:0', 'cuda:2'], fallbackReason: 'The device cuda:1 is not there.' });
    await machine.embed(500);
    expect(machine.running).toEqual(['cuda:0', 'cuda:2']);
    expect(new Set(machine.pieces)).toEqual(new Set(['cuda:0', 'cuda:2']));
  });

  it('of which one takes its process down when it is opened leave the work to the others', async () => {
    machine = new Machine(['cuda:0', 'cuda:1'], { has: ['cuda:0', 'cuda:1'], deadly: ['cuda:1'] });
    const { code } = await machine.embedder.open();
    expect(code.devices).toBeUndefined();
    expect(code.fallbackReason).toContain('SIGKILL');
    expect(await machine.embed(100)).toHaveLength(100);
    expect(machine.running).toEqual(['cuda:0']);
  });

  it.each([[['cuda:0', 'cuda:1']], [['webgpu', 'cpu']], [['cuda', 'webgpu', 'cpu']]] as const)(
    'of which none can be had (%j) leave the work to one process on the processor, with all threads',
    async (names) => {
      machine = new Machine([...names] as [DeviceName, ...DeviceName[]], {});
      const { code } = await machine.embedder.open();
      for (const name of names) if (name !== 'cpu') expect(code.fallbackReason).toContain(`The device ${name} is not`);
      expect(code).toMatchObject({ device: 'cpu' });
      expect(code.devices).toBeUndefined();
      expect(await machine.embed(100)).toHaveLength(100);
      expect(machine.running).toEqual(['cpu']);
      expect(machine.opened.at(-1)).toMatchObject({ settings: { device: 'cpu', threads: 8, memoryCeilingMb: 1_000 } });
      expect(machine.opened.at(-1)?.settings.graphFor).toBeUndefined();
    },
  );

  it.each([[['cuda:0', 'cuda:1']], [['cuda:1', 'cuda:0']], [['cuda:1', 'webgpu', 'cuda:0']]] as const)(
    'of which others are lost in the middle of the work (%j) leave the rest to the one, and say why',
    async (names) => {
      const loses = names.filter((name) => name !== 'cuda:0');
      machine = new Machine([...names] as [DeviceName, ...DeviceName[]], { has: names, loses });
      await machine.embedder.open();
      expect(await machine.embed(500)).toEqual(Array.from({ length: 500 }, (_, index) => 1 + (index % 50)));
      await expect.poll(() => machine.running).toEqual(['cuda:0']);
      const { code } = await machine.embedder.open();
      expect(code).toMatchObject({ device: 'cuda', fallbackReason: expect.stringContaining('DXGI') as string });
      expect(code.devices).toBeUndefined();
      expect((await machine.embedder.metrics())?.devices).toBeUndefined();
      expect(await machine.embed(50)).toHaveLength(50);
    },
  );

  it('of which all are lost in the middle of the work go on as one process on the processor, and say why', async () => {
    const names = ['cuda:0', 'cuda:1'] as const;
    machine = new Machine([...names], { has: names, loses: names });
    await machine.embedder.open();
    expect(await machine.embed(500)).toEqual(Array.from({ length: 500 }, (_, index) => 1 + (index % 50)));
    await expect.poll(() => machine.running).toHaveLength(1);
    const { code } = await machine.embedder.open();
    expect(code).toMatchObject({ device: 'cpu', fallbackReason: expect.stringContaining('DXGI') as string });
    expect(code.fallbackReason?.split('DXGI')).toHaveLength(2);
  });

  it('of which none can be had keep all sessions on the processor that a person asked for', async () => {
    machine = new Machine(['cuda:0', 'cuda:1'], { settings: { sessions: 2 } });
    await machine.embedder.open();
    await machine.embed(50);
    expect(machine.running).toEqual(['cpu', 'cpu']);
  });

  it('none of which can load the model fail with that', async () => {
    machine = new Machine(['cuda:0', 'cpu'], { has: ['cuda:0'], modelIsMissing: true });
    await expect(machine.embedder.open()).rejects.toMatchObject({ code: 'model-missing' });
    expect(machine.running).toEqual([]);
  });
});

describe.each([
  ['auto', 'cpu'],
  ['cuda', 'cuda'],
] as const)('the device %s', (device, graphFor) => {
  it('is every GPU where it comes out as CUDA and there are several, with the graph it would have loaded', async () => {
    machine = new Machine([device], { has: ['cuda', 'cuda:0', 'cuda:1', 'cuda:2'], best: 'cuda', gpus: 3 });
    const { docs } = await machine.embedder.open();
    expect(docs.devices).toEqual(['cuda:0', 'cuda:1', 'cuda:2']);
    expect(machine.running).toEqual(['cuda:0', 'cuda:1', 'cuda:2']);
    const graph = graphOf(graphFor);
    expect(machine.opened.slice(1).map(({ settings }) => settings.graphFor)).toEqual([graph, graph, graph]);
  });

  it('is one process where there is one GPU, or none', async () => {
    machine = new Machine([device], { has: ['cuda'], best: 'cuda', gpus: 1 });
    expect((await machine.embedder.open()).code).toMatchObject({ device: 'cuda', fallbackReason: null });
    expect(machine.opened).toHaveLength(1);
    machine.embedder.dispose();
    machine = new Machine([device], { gpus: 4 });
    expect((await machine.embedder.open()).code.device).toBe('cpu');
    expect(machine.opened).toHaveLength(1);
    expect(machine.singles).toBe(1);
  });
});

describe('closing while devices are opened', () => {
  it('ends every process and every call', async () => {
    machine = new Machine(['cuda:0', 'cuda:1'], { has: ['cuda:0', 'cuda:1'] });
    const calls = [machine.embedder.open(), machine.embed(10)];
    machine.embedder.dispose();
    for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'disposed' });
    await expect.poll(() => machine.running).toEqual([]);
  });
});
