import { describe, expect, it } from 'vitest';
import { RestartPolicy } from '../../../src/process/restartPolicy.ts';

const LIMITS = { maxDeaths: 3, windowMs: 1000, baseDelayMs: 100, maxDelayMs: 150 };

function deaths(times: readonly number[]): string[] {
  let policy = new RestartPolicy(LIMITS);
  return times.map((time) => {
    const decision = policy.afterDeath(time);
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

  it('is a value: deciding changes nothing', () => {
    const policy = new RestartPolicy(LIMITS);
    policy.afterDeath(0);
    expect(policy.afterDeath(1)).toMatchObject({ kind: 'restart', delayMs: 0 });
  });

  it('forgives when asked to', () => {
    const once = new RestartPolicy(LIMITS).afterDeath(0).policy;
    expect(once.forgiven().afterDeath(1)).toMatchObject({ kind: 'restart', delayMs: 0 });
  });
});
