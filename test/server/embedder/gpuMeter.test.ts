import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { GpuMeter } from '../../../src/embedder/gpuMeter.ts';
import { type Command, countNvidiaGpus, nvidiaCommand } from '../../../src/process/nvidiaTool.ts';
import { ManualClock } from '../../fakes/manualClock.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'tessera-gpu-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A driver's tool that notes each call and prints, like it, percents in a line for each GPU. */
function tool(prints: string): Command {
  const program = `require('fs').appendFileSync(process.argv[1], 'x'); process.stdout.write(${JSON.stringify(prints)})`;
  return [process.execPath, '-e', program, calls()];
}
const calls = () => path.join(folder, 'calls');
const callCount = () =>
  readFile(calls(), 'utf8').then(
    (text) => text.length,
    () => 0,
  );

describe('the use of a GPU', () => {
  it('is what its tool says, as a share', async () => {
    expect(await new GpuMeter(['cpu', 'cuda'], new ManualClock(), { command: tool('37\n') }).utilization()).toBe(0.37);
  });

  it('is asked for now and then, not each time', async () => {
    const clock = new ManualClock();
    const meter = new GpuMeter(['cuda'], clock, { command: tool('50\n') });
    await meter.utilization();
    meter.sample();
    await meter.utilization();
    expect(await callCount()).toBe(1);
    clock.advance(60_000);
    meter.sample();
    await expect.poll(callCount, { timeout: 10_000 }).toBe(2);
  });

  it('is unknown, and nothing is started, on any other device', async () => {
    const meter = new GpuMeter(['cpu', 'webgpu'], new ManualClock(), { command: tool('37\n') });
    meter.sample();
    expect(await meter.utilization()).toBeNull();
    expect(await callCount()).toBe(0);
  });

  it.each(['[N/A]\n', '', 'No devices were found'])(
    'is unknown when the tool says "%s", which is asked once',
    async (says) => {
      const clock = new ManualClock();
      const meter = new GpuMeter(['cuda'], clock, { command: tool(says) });
      expect(await meter.utilization()).toBeNull();
      clock.advance(60_000);
      expect(await meter.utilization()).toBeNull();
      expect(await callCount()).toBe(1);
    },
  );

  it('is unknown where there is no tool, or one that fails', async () => {
    const missing: Command = [path.join(folder, 'none')];
    expect(await new GpuMeter(['cuda'], new ManualClock(), { command: missing }).utilization()).toBeNull();
    const failing: Command = [process.execPath, '-e', 'process.exit(9)'];
    expect(await new GpuMeter(['cuda'], new ManualClock(), { command: failing }).utilization()).toBeNull();
  });
});

describe('NVIDIA’s GPUs', () => {
  afterEach(() => vi.unstubAllEnvs());
  beforeEach(() => vi.stubEnv('CUDA_VISIBLE_DEVICES', ''));

  it('are counted by the lines the tool prints', async () => {
    expect(await countNvidiaGpus(tool('0\n1\n2\n'))).toBe(3);
    expect(await countNvidiaGpus(tool('No devices were found'))).toBe(0);
    expect(await countNvidiaGpus([path.join(folder, 'none')])).toBe(0);
  });

  it('are asked about by the numbers the runtime has for them', async () => {
    expect(nvidiaCommand('utilization.gpu', 1)).toContain('--id=1');
    vi.stubEnv('CUDA_VISIBLE_DEVICES', '4,2');
    expect(nvidiaCommand('utilization.gpu', 1)).toContain('--id=2');
    expect(await countNvidiaGpus(tool('0\n1\n2\n3\n4\n'))).toBe(2);
  });
});
