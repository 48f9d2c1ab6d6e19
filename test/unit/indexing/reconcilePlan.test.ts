import { describe, expect, it } from 'vitest';
import {
  RACY_MTIME,
  isUnchanged,
  orderOfWork,
  planReconcile,
  trustedMtime,
} from '../../../src/indexing/reconcilePlan.ts';

const NOTHING_KNOWN: ReadonlySet<string> = new Set();

const stat = (mtimeMs: number, sizeBytes = 10) => ({ sizeBytes, mtimeMs, ctimeMs: mtimeMs });
const seen = (path: string, mtimeMs: number, sizeBytes?: number) => ({ path, ...stat(mtimeMs, sizeBytes) });
const stored = (files: Readonly<Record<string, number>>) =>
  new Map(Object.entries(files).map(([path, mtimeMs]) => [path, { ...stat(mtimeMs), fileHash: 'hash' }]));
const paths = (files: readonly { readonly path: string }[]) => files.map(({ path }) => path);

describe('the plan to bring an index up to date', () => {
  it('reads new and changed files, removes those that went, and leaves the rest', () => {
    const files = [seen('same', 1), seen('newer', 5), seen('longer', 1, 11), seen('new', 1)];
    const plan = planReconcile(files, NOTHING_KNOWN, stored({ same: 1, newer: 1, longer: 1, gone: 1 }));
    expect(paths(plan.read).sort()).toEqual(['longer', 'new', 'newer']);
    expect(plan.remove).toEqual(['gone']);
    expect(plan.unchanged).toBe(1);
  });

  it('leaves alone what the scan accounts for in another way', () => {
    const plan = planReconcile([], new Set(['skipped']), stored({ skipped: 1, gone: 1 }));
    expect(plan.remove).toEqual(['gone']);
  });

  it('does nothing for an empty folder without an index', () => {
    expect(planReconcile([], NOTHING_KNOWN, new Map())).toEqual({ read: [], remove: [], unchanged: 0 });
  });

  it('begins with what is open, in order of use, then with what changed last', () => {
    const files = [seen('old', 1), seen('open', 2), seen('newest', 9), seen('opened first', 1)];
    expect(paths(orderOfWork(files, ['opened first', 'open', 'not here']))).toEqual([
      'opened first',
      'open',
      'newest',
      'old',
    ]);
  });
});

describe('a file', () => {
  it('is unchanged only when size and both times are as stored', () => {
    const same = { ...stat(1), fileHash: 'hash' };
    expect(isUnchanged(stat(1), same)).toBe(true);
    expect(isUnchanged({ ...stat(1), ctimeMs: 2 }, same)).toBe(false);
    expect(isUnchanged({ ...stat(1), mtimeMs: 2 }, same)).toBe(false);
    expect(isUnchanged({ ...stat(1), sizeBytes: 2 }, same)).toBe(false);
    expect(isUnchanged(stat(1), undefined)).toBe(false);
  });

  it.each([
    ['well before it was read', 1_000.5, 2_000, 1_000.5],
    ['within a fine tick of its reading', 1_990.5, 2_000, RACY_MTIME],
    ['by a coarse clock within two seconds of its reading', 1_000, 2_500, RACY_MTIME],
    ['by a coarse clock longer ago', 1_000, 3_000, 1_000],
    ['in the future', 9_000.5, 2_000, RACY_MTIME],
  ])('changed %s has a time that can or cannot be trusted', (_, mtimeMs, readAtMs, expected) => {
    expect(trustedMtime(mtimeMs, readAtMs)).toBe(expected);
  });
});
