import { expect, test } from 'vitest';
import { runSizeOf } from '../../../src/protocol/runSize.ts';

const FREE = { budgetTokens: 512, memoryCeilingTokens: null, latencyCeilingTokens: null };

test('runs have the budget where no ceiling is lower', () => {
  const tokens = { kind: 'tokens', tokens: 512, boundBy: 'budget' };
  expect(runSizeOf(FREE)).toEqual(tokens);
  expect(runSizeOf({ ...FREE, memoryCeilingTokens: 4096, latencyCeilingTokens: 512 })).toEqual(tokens);
});

test('the lowest ceiling decides, and is named', () => {
  const latency = { kind: 'tokens', tokens: 128, boundBy: 'latency' };
  expect(runSizeOf({ ...FREE, latencyCeilingTokens: 128 })).toEqual(latency);
  expect(runSizeOf({ ...FREE, latencyCeilingTokens: 128, memoryCeilingTokens: 256 })).toEqual(latency);
  const memory = { kind: 'tokens', tokens: 64, boundBy: 'memory' };
  expect(runSizeOf({ ...FREE, latencyCeilingTokens: 128, memoryCeilingTokens: 64 })).toEqual(memory);
});

test('a budget that was lowered to the memory ceiling is held there by it', () => {
  expect(runSizeOf({ ...FREE, memoryCeilingTokens: 512 })).toMatchObject({ tokens: 512, boundBy: 'memory' });
});

test('texts a person fixed stand in place of all of it', () => {
  expect(runSizeOf({ ...FREE, latencyCeilingTokens: 128, textsPerRun: 8 })).toEqual({ kind: 'texts', texts: 8 });
});
