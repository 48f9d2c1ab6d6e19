import { describe, expect, it } from 'vitest';
import { choosePolicies, policiesFor } from '../../../src/cli/bench/policies.ts';
import { DEVICE_LIMITS } from '../../../src/embedding/deviceLimits.ts';

const POLICIES = policiesFor(true, false, DEVICE_LIMITS.cpu);

describe('policies to compare', () => {
  it('are all, unless some are asked for', () => {
    expect(choosePolicies(POLICIES, [])).toEqual(POLICIES);
  });

  it('are chosen by a part of their names, in their own order', () => {
    const names = choosePolicies(POLICIES, ['budget 512', 'fixed 64']).map(({ name }) => name);
    expect(names).toEqual(['fixed 64 arrival', 'fixed 64 sorted', 'budget 512']);
  });

  it('refuse a name that none has, and tell those there are', () => {
    expect(() => choosePolicies(POLICIES, ['budget 7'])).toThrow(/budget 7 .*budget 256/);
  });
});
