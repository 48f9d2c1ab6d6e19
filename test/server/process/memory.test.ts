import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

/** What a new process says its peak was. */
async function peakOfChild(): Promise<number> {
  const child = fork(path.join(import.meta.dirname, '../../fakes/peakMemory.ts'));
  const [message] = (await once(child, 'message')) as [number];
  return message;
}

describe('the peak of resident memory', () => {
  it('is the process’s own, not that of the one that started it', async () => {
    const before = await peakOfChild();
    const held = Buffer.alloc(400 << 20, 1);
    const after = await peakOfChild();
    expect(held.at(-1)).toBe(1);
    expect(after).toBeGreaterThan(20);
    expect(after).toBeLessThan(before + 100);
  });
});
