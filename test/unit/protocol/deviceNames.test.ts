import { describe, expect, it } from 'vitest';
import { parseDeviceNames, splitDeviceName } from '../../../src/protocol/deviceNames.ts';

const parse = (text: string) => parseDeviceNames(text, '--device');

describe('devices by name', () => {
  it.each([
    ['auto', ['auto']],
    ['cpu', ['cpu']],
    ['cuda:1', ['cuda:1']],
    ['cuda:0,cuda:1', ['cuda:0', 'cuda:1']],
    [' webgpu , cpu ', ['webgpu', 'cpu']],
    ['dml:0,dml:1,cpu', ['dml:0', 'dml:1', 'cpu']],
  ])('are read from %j', (text, names) => {
    expect(parse(text)).toEqual(names);
  });

  it.each(['', 'gpu', 'cuda:', 'cuda:x', 'cuda:-1', 'cuda:1:2', 'cpu:1', 'webgpu:1', 'cpu,', 'CUDA'])(
    'are not %j, which is said with what they are',
    (text) => {
      expect(() => parse(text)).toThrow(/^--device names devices as in auto, cpu, webgpu, .*, not “/);
    },
  );

  it('are each named once, and auto stands alone', () => {
    expect(() => parse('cuda:1,cpu,cuda:1')).toThrow('--device names cuda:1 twice; name each device once.');
    expect(() => parse('auto,cpu')).toThrow('--device names auto beside other devices');
  });

  it('are a provider, and the number of one of its devices', () => {
    expect(splitDeviceName('cuda:12')).toEqual({ provider: 'cuda', deviceId: 12 });
    expect(splitDeviceName('webgpu')).toEqual({ provider: 'webgpu', deviceId: null });
    expect(splitDeviceName('auto')).toEqual({ provider: 'auto', deviceId: null });
  });
});
