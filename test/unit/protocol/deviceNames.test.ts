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
    ['cuda:01,cuda:00', ['cuda:1', 'cuda:0']],
  ])('are read from %j', (text, names) => {
    expect(parse(text)).toEqual(names);
  });

  it.each(['gpu', 'cuda:', 'cuda:x', 'cuda:-1', 'cuda:001', 'cuda:1:2', 'cpu:1', 'webgpu:1', 'CUDA'])(
    'are not %j, which is said with what they are',
    (text) => {
      expect(() => parse(text)).toThrow(/^--device names devices as in auto, cpu, webgpu, .*, not “/);
    },
  );

  it('are each named once, and auto stands alone', () => {
    expect(() => parse('cuda:1,cpu,cuda:1')).toThrow('--device names cuda:1 twice; name each device once.');
    expect(() => parse('cuda:01,cuda:1')).toThrow('--device names cuda:1 twice; name each device once.');
    expect(() => parse('auto,cpu')).toThrow('--device names auto beside other devices');
  });

  it.each(['cuda,cuda:0', 'cpu,cuda:1,cuda'])('have a number all or none: not %j', (text) => {
    expect(() => parse(text)).toThrow('--device names cuda both with and without a number; use one way only.');
  });

  it.each(['cuda:0,', ',cpu', 'cpu, ,cuda'])('are not empty, which is said where one is, as in %j', (text) => {
    expect(() => parse(text)).toThrow('--device has an empty name between its commas; leave out a comma.');
  });

  it.each(['', ' '])('are at least one, which is said of %j', (text) => {
    expect(() => parse(text)).toThrow(/^--device is empty; name devices as in auto, cpu, /);
  });

  it('are a provider, and the number of one of its devices', () => {
    expect(splitDeviceName('cuda:12')).toEqual({ provider: 'cuda', deviceId: 12 });
    expect(splitDeviceName('webgpu')).toEqual({ provider: 'webgpu', deviceId: null });
    expect(splitDeviceName('auto')).toEqual({ provider: 'auto', deviceId: null });
  });
});
