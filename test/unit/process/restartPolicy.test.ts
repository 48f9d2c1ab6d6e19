import { describe, expect, it } from 'vitest';
import { RestartPolicy } from '../../../src/process/restartPolicy.ts';

const LIMITS = { maxDeaths: 3, windowMs: 1000, baseDelayMs: 100, maxDelayMs: 150 };

function deaths(times: readonly number[], hasRun = (_time: number) => true): string[] {
  let policy = new RestartPolicy(LIMITS);
  return times.map((time) => {
    const decision = policy.afterDeath(time, hasRun(time));
    policy = decision.policy;
    return decision.kind === 'restart' ? `restart after ${decision.delayMs}` : `give up after ${decision.deaths}`;
  });
}

describe('the restart policy', () => {
  it('restarts at once after the first death, later after further ones, up to a limit', () => {
    expect(deaths([0, 10, 20])).toEqual(['restart after 0', 'restart after 100', 'restart after 150']);
  });

  it('gives up when there were more deaths within the window than allowed', () => {
    expect(deaths([0, 10, 20, 30]).at(-1)).toBe('give up after 4');
  });

  it('lets deaths leave the window', () => {
    expect(deaths([0, 400, 800, 1500, 2100])).toEqual([
      'restart after 0',
      'restart after 100',
      'restart after 150',
      'restart after 100',
      'restart after 100',
    ]);
  });

  it('gives up after starts in a row that came to nothing, however long each took', () => {
    const times = [0, 5000, 10_000, 15_000];
    expect(deaths(times, () => false).at(-1)).toBe('give up after 4');
    expect(deaths(times).at(-1)).toBe('restart after 0');
    expect(deaths([...times, 20_000], (time) => time === 10_000).at(-1)).toBe('restart after 0');
  });

  it('is a value: deciding changes nothing', () => {
    const policy = new RestartPolicy(LIMITS);
    policy.afterDeath(0, true);
    expect(policy.afterDeath(1, true)).toMatchObject({ kind: 'restart', delayMs: 0 });
  });

  it('forgives when asked to', () => {
    const once = new RestartPolicy(LIMITS).afterDeath(0, false).policy;
    expect(once.forgiven().afterDeath(1, false)).toMatchObject({ kind: 'restart', delayMs: 0 });
  });
});
