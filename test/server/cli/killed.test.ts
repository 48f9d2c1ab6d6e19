import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type IndexRows, differences, readIndexRows } from '../../../bench/indexRows.ts';
import type { IndexSummary } from '../../../src/protocol/server.ts';
import { CliPlace, type Finished, type Running } from './cliProcess.ts';

const FILES = 160;

function text(index: number): string {
  const functions = Array.from({ length: 3 }, (_, at) => {
    const words = Array.from({ length: 90 }, (__, word) => `w${(index * 31 + at * 7 + word * word) % 997}`).join(' ');
    return `export function f${index}_${at}(input: number) {\n  // ${words}\n  return input + ${at};\n}\n`;
  });
  return functions.join('\n');
}

const TREE = Object.fromEntries(
  Array.from({ length: FILES }, (_, index) => [`src/d${index % 7}/f${index}.ts`, text(index)]),
);

let place: CliPlace;

afterEach(() => place.dispose());

/** Whether a run gets as far as `count` commits on the disk before it is over. */
async function reaches(count: number, run: Running): Promise<boolean> {
  const isOver = run.finished.then(() => true);
  for (;;) {
    const names = await readdir(place.indexDir, { recursive: true }).catch(() => []);
    if (names.filter((name) => name.includes('chunks-') && name.endsWith('.manifest')).length >= count) return true;
    const next = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 3));
    if (await Promise.race([isOver, next])) return false;
  }
}

/**
 * Indexes in a new place and sends the signal in the middle of it. A run too quick to be met there (a fast machine, or a busy one that
 * looks too late) says nothing: it is done again and met earlier, at last when nothing but the empty table is there.
 */
async function interrupt(signal: NodeJS.Signals): Promise<Finished> {
  for (const commits of [4, 3, 2, 1, 1, 1]) {
    place = await CliPlace.create(TREE);
    const run = place.start('index');
    const isMet = await reaches(commits, run);
    run.child.kill(signal);
    const finished = await run.finished;
    if (isMet && finished.status !== 0) return finished;
    await place.dispose();
  }
  throw new Error('Every run ended before it could be interrupted.');
}

/** The rows of an undisturbed run, which every recovery must end in. */
let expected: IndexRows;

beforeAll(async () => {
  const undisturbed = await CliPlace.create(TREE);
  await undisturbed.json('index');
  expected = await readIndexRows(undisturbed.indexDir);
  await undisturbed.dispose();
});

/** The reference's folder has another name, which one row says. */
function withoutIndexRow(lines: readonly string[]): readonly string[] {
  return lines.filter((line) => !line.startsWith('#index'));
}

describe('an index whose process was killed', () => {
  it('goes on from there and ends in the rows of an undisturbed run', async () => {
    expect(await interrupt('SIGKILL')).toMatchObject({ status: null });
    const again = await place.json<IndexSummary>('index');
    expect(again.files).toBe(FILES);
    expect(await place.run('verify')).toMatchObject({ status: 0 });
    expect(withoutIndexRow(differences(await readIndexRows(place.indexDir), expected))).toEqual([]);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'is told to stop by %s: it keeps what is finished and says so',
    async (signal) => {
      const { status, stderr } = await interrupt(signal);
      expect(status).toBe(3);
      expect(stderr).toContain('What was finished is kept');
      const files = (await readdir(path.join(place.indexDir, 'folders'), { recursive: true })).map(String);
      expect(files.some((name) => name.includes('writer.lock'))).toBe(false);
      await place.json('index');
      expect(await place.run('verify')).toMatchObject({ status: 0 });
    },
  );
});
