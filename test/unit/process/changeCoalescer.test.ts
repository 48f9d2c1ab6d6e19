import { expect, test } from 'vitest';
import { ChangeCoalescer, type CoalescerLimits, type FolderChange } from '../../../src/process/changeCoalescer.ts';
import { ManualClock } from '../../fakes/manualClock.ts';

const LIMITS: CoalescerLimits = {
  quietMs: 100,
  maxWaitMs: 500,
  savedWaitMs: 50,
  stormQuietMs: 400,
  stormMaxWaitMs: 10_000,
  maxPaths: 3,
  maxEvents: 100_000,
};

function watch(limits = LIMITS) {
  const clock = new ManualClock();
  const changes: FolderChange[] = [];
  const coalescer = new ChangeCoalescer(clock, (change) => changes.push(change), limits);
  return { clock, changes, coalescer };
}

test('several events of one file are handed on as one path, once the stream rests', () => {
  const { clock, changes, coalescer } = watch();
  coalescer.add('a.ts');
  clock.advance(60);
  coalescer.add('a.ts');
  clock.advance(60);
  expect(changes).toEqual([]);
  clock.advance(40);
  expect(changes).toEqual([{ kind: 'paths', paths: ['a.ts'] }]);
});

test('a file the editor saved does not wait for what the file system tells of it later', () => {
  const { clock, changes, coalescer } = watch();
  coalescer.addSaved('a.ts');
  clock.advance(40);
  coalescer.add('a.ts');
  clock.advance(9);
  expect(changes).toEqual([]);
  clock.advance(1);
  expect(changes).toEqual([{ kind: 'paths', paths: ['a.ts'] }]);
  coalescer.add('a.ts');
  clock.advance(99);
  expect(changes).toHaveLength(1);
});

test('a save in a storm waits for its end like everything else', () => {
  const { clock, changes, coalescer } = watch();
  coalescer.addSaved('a.ts');
  coalescer.addEverything('a checkout');
  coalescer.addSaved('a.ts');
  clock.advance(399);
  expect(changes).toEqual([]);
  clock.advance(1);
  expect(changes).toEqual([{ kind: 'everything', reason: 'a checkout' }]);
});

test('a file is not kept waiting for ever by events of others', () => {
  const { clock, changes, coalescer } = watch();
  coalescer.add('a.ts');
  for (let waited = 0; waited < 500; waited += 50) {
    expect(changes).toEqual([]);
    clock.advance(50);
    coalescer.add('b.ts');
  }
  expect(changes[0]).toEqual({ kind: 'paths', paths: ['a.ts', 'b.ts'] });
});

test('ten thousand events become one comparison of the whole folder', () => {
  const { clock, changes, coalescer } = watch({ ...LIMITS, maxPaths: 2000 });
  for (let file = 0; file < 10_000; file++) {
    coalescer.add(`file${file}.ts`);
    clock.advance(0.1);
  }
  expect(coalescer.pendingCount).toBe(0);
  clock.advance(10_000);
  expect(changes).toEqual([{ kind: 'everything', reason: 'many changes at once' }]);
});

test('so do very many events of one file: some may have been lost', () => {
  const { clock, changes, coalescer } = watch({ ...LIMITS, maxEvents: 50 });
  for (let event = 0; event < 50; event++) coalescer.add('a.ts');
  clock.advance(100);
  for (let event = 0; event < 51; event++) coalescer.add('a.ts');
  clock.advance(400);
  expect(changes.map(({ kind }) => kind)).toEqual(['paths', 'everything']);
});

test('the first reason to compare everything stands for all paths of its time', () => {
  const { clock, changes, coalescer } = watch();
  coalescer.add('a.ts');
  coalescer.addEverything('the rules changed');
  coalescer.addEverything('a checkout');
  coalescer.add('b.ts');
  clock.advance(400);
  expect(changes).toEqual([{ kind: 'everything', reason: 'the rules changed' }]);
});

test('a storm is waited out longer than a save, but not without end', () => {
  const { clock, changes, coalescer } = watch();
  coalescer.addEverything('a checkout');
  clock.advance(399);
  expect(changes).toEqual([]);
  for (let waited = 0; waited < 9_000; waited += 300) {
    coalescer.add('a.ts');
    clock.advance(300);
  }
  expect(changes).toEqual([]);
  clock.advance(1_000);
  expect(changes).toEqual([{ kind: 'everything', reason: 'a checkout' }]);
});

test('paths after a storm are single paths again', () => {
  const { clock, changes, coalescer } = watch();
  coalescer.addEverything('a checkout');
  clock.advance(400);
  coalescer.add('a.ts');
  clock.advance(100);
  expect(changes).toEqual([
    { kind: 'everything', reason: 'a checkout' },
    { kind: 'paths', paths: ['a.ts'] },
  ]);
});

test('nothing is handed on after the end', () => {
  const { clock, changes, coalescer } = watch();
  coalescer.add('a.ts');
  coalescer.dispose();
  clock.advance(1_000);
  coalescer.add('b.ts');
  clock.advance(1_000);
  expect(changes).toEqual([]);
});
