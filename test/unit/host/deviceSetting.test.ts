import { describe, expect, it } from 'vitest';
import { type LogRecord, Logger } from '../../../src/base/logger.ts';
import { DeviceSetting } from '../../../src/host/settings/deviceSetting.ts';

function setting() {
  const records: LogRecord[] = [];
  const logger = new Logger({ level: 'warn', write: (record) => records.push(record) }, 'test');
  return { setting: new DeviceSetting(logger), records };
}

describe('the setting of the device', () => {
  it('names one device or several', () => {
    const { setting: device, records } = setting();
    expect(device.read('cuda:1')).toEqual({ device: 'cuda:1' });
    expect(device.read('cuda:0,cpu')).toEqual({ device: 'cuda:0', devices: ['cuda:0', 'cpu'] });
    expect(records).toEqual([]);
  });

  it.each(['gpu', 'cuda,cuda:0', 7])('is auto where it cannot be read, as %j, which is logged once', (value) => {
    const { setting: device, records } = setting();
    expect(device.read(value)).toEqual({ device: 'auto' });
    expect(device.read(value)).toEqual({ device: 'auto' });
    expect(records).toHaveLength(1);
    expect(records[0]).toMatchObject({ level: 'warn', message: 'a setting cannot be read, auto is used' });
    expect(records[0]?.fields?.['message']).toMatch(/^tessera\.embedder\.device names /);
  });
});
