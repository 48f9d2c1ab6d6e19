import { mkdir, readdir, rename, rm, truncate } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { TesseraError } from '../../../src/base/errors.ts';
import type { FolderState } from '../../../src/protocol/server.ts';
import type { FolderIndex } from '../../../src/server/folderIndex.ts';
import { IndexedFolder, SETTINGS } from './indexedFolder.ts';

let work: IndexedFolder;

async function create(files: Readonly<Record<string, string>>): Promise<IndexedFolder> {
  work = await IndexedFolder.create(files);
  return work;
}

afterEach(() => work.dispose());

const TREE = {
  'a.ts': 'export function alpha() {\n  return 1;\n}\n',
  'src/b.py': 'def beta():\n    return 2\n',
  'docs/guide.md': '# Guide\n\nHow to use it.\n',
  'empty.ts': '',
};

/** What searches keep of the index, as far as a folder's index cares. */
async function keepSearchImages(): Promise<string> {
  const dir = path.join(work.index.dir, `${work.index.reader?.name ?? ''}.search`);
  await mkdir(dir);
  return path.basename(dir);
}

/** An index of `TREE` that `run` is writing until its embedder is released, opened a second time as `other`. */
async function createWritten(): Promise<{ readonly run: Promise<unknown>; readonly other: FolderIndex }> {
  await create(TREE);
  await work.run();
  const other = work.other(work.folder);
  await other.open();
  work.embedder.hold();
  const embedding = new Promise<void>((resolve) => work.embedder.onEmbed.event(() => resolve()));
  await work.write('a.ts', 'const locked = 1;\n', 0);
  const run = work.run();
  await embedding;
  return { run, other };
}

/** A file of many chunks. */
function longFile(functions: number, seed = ''): string {
  const body = (index: number) => `  // ${'word '.repeat(120)}${seed}${index}\n`;
  return Array.from({ length: functions }, (_, index) => `function f${index}() {\n${body(index)}}\n`).join('\n');
}

describe('a full pass', () => {
  it('indexes every file and says what it did', async () => {
    await create(TREE);
    const summary = await work.run();
    expect(summary).toMatchObject({
      files: 3,
      chunks: 3,
      embedded: 3,
      reused: 0,
      skipped: { empty: 1 },
      model: 'hash',
    });
    expect(await work.rows()).toEqual([
      'a.ts:export function alpha() {',
      'docs/guide.md:# Guide',
      'src/b.py:def beta():',
    ]);
    expect(await work.verify()).toEqual([]);
    expect(work.index.state).toEqual({ kind: 'idle', files: 3, chunks: 3 });
  });

  it('embeds and commits nothing when nothing has changed', async () => {
    await create(TREE);
    await work.run();
    await work.restart();
    await work.index.open();
    const before = await work.index.reader?.version();
    expect(await work.run()).toMatchObject({ embedded: 0, reused: 0, chunks: 3 });
    expect(await work.index.reader?.version()).toBe(before);
    expect(work.embedder.texts).toEqual([]);
  });

  it('embeds only what changed', async () => {
    await create({ ...TREE, 'long.ts': longFile(6) });
    await work.run();
    const before = work.embedder.texts.length;
    await work.write('long.ts', longFile(6).replace('function f3()', 'function g3()'), 30_000);
    const summary = await work.run();
    expect(summary.embedded).toBeGreaterThan(0);
    expect(summary.embedded).toBeLessThan(before);
    expect(summary.reused).toBeGreaterThan(0);
    expect(work.embedder.texts.slice(before).every((text) => text.includes('g3') || text.includes('f4'))).toBe(true);
    expect(await work.verify()).toEqual([]);
  });

  it('embeds nothing for a moved file, a moved folder or a reverted edit', async () => {
    await create(TREE);
    await work.run();
    const before = work.embedder.texts.length;
    await rename(path.join(work.folder, 'a.ts'), path.join(work.folder, 'renamed.ts'));
    await rename(path.join(work.folder, 'src'), path.join(work.folder, 'lib'));
    expect(await work.run()).toMatchObject({ embedded: 0, chunks: 3 });
    expect(await work.rows()).toEqual([
      'docs/guide.md:# Guide',
      'lib/b.py:def beta():',
      'renamed.ts:export function alpha() {',
    ]);
    await work.write('docs/guide.md', '# Changed\n', 30_000);
    expect(await work.run()).toMatchObject({ embedded: 1 });
    await work.write('docs/guide.md', TREE['docs/guide.md'], 20_000);
    expect(await work.run()).toMatchObject({ embedded: 0, reused: 1 });
    expect(work.embedder.texts).toHaveLength(before + 1);
    expect(await work.verify()).toEqual([]);
  });

  it('embeds nothing for a second worktree', async () => {
    await create(TREE);
    await work.run();
    const second = await IndexedFolder.create(TREE);
    const index = work.other(second.folder);
    const summary = await index.index({ rebuild: false });
    await second.dispose();
    expect(summary).toMatchObject({ embedded: 0, reused: 3, files: 3 });
  });

  it('reads a file again whose time is too new to be trusted', async () => {
    await create(TREE);
    await work.write('a.ts', 'const first = 1;\n', 0);
    await work.run();
    // The same size and, on a coarse clock, the same time.
    await work.write('a.ts', 'const other = 2;\n', 0);
    expect(await work.run()).toMatchObject({ embedded: 1 });
    expect(await work.rows()).toContain('a.ts:const other = 2;');
  });

  it('drops what a new ignore rule excludes and leaves the rest alone', async () => {
    await create(TREE);
    await work.run();
    const before = work.embedder.texts.length;
    await work.write('.gitignore', 'src/\n');
    await work.change('.gitignore');
    expect((await work.rows()).filter((row) => !row.startsWith('.gitignore'))).toEqual([
      'a.ts:export function alpha() {',
      'docs/guide.md:# Guide',
    ]);
    expect(work.embedder.texts.slice(before).filter((text) => !text.includes('src/'))).toEqual([]);
    expect(await work.verify()).toEqual([]);
  });

  it('keeps a file whole whose chunks fill more than one group', async () => {
    await create({ 'huge.ts': longFile(600), 'a.ts': TREE['a.ts'] });
    const summary = await work.run();
    expect(summary.chunks).toBeGreaterThan(130);
    expect(summary.embedded).toBe(summary.chunks);
    expect(await work.verify()).toEqual([]);
  });

  it('gives back odd characters as they were, and halves of characters as the replacement character', async () => {
    await create({ 'long.md': `# ${'x'.repeat(159)}🚨🚨🚨${'y'.repeat(100)}\n\nText.\n` });
    await work.write('wide.ts', `\uFEFFconst a = "ok";\nconst b = "\uD83D";\n`);
    await work.run();
    expect(await work.verify()).toEqual([]);
  });

  it('begins with the files that are open', async () => {
    await create({ ...TREE, 'z.ts': 'const z = 1;\n' });
    await work.run({ firstPaths: ['z.ts', 'src/b.py'] });
    expect(work.embedder.texts.slice(0, 2).map((text) => text.split('\n')[0])).toEqual(['z', 'src b']);
  });

  it('keeps what was finished when it is cancelled, and goes on from there', async () => {
    const files = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`f${i}.ts`, longFile(4, `file${i} `)]));
    await create(files);
    const stop = new AbortController();
    let calls = 0;
    work.embedder.onEmbed.event(() => {
      // On a slow disk the first group may be committed, and the run be cancelled, before the second one is embedded.
      if (++calls === 2 && !stop.signal.aborted) work.embedder.hold();
    });
    work.index.onCommitted(() => stop.abort());
    await expect(work.run({}, stop.signal)).rejects.toMatchObject({ code: 'cancelled' });
    const kept = (await work.rows()).length;
    expect(kept).toBeGreaterThan(0);
    expect(work.index.reader?.isComplete).toBe(false);
    // How fast that was is told, too.
    expect((await work.index.status()).lastFigures).not.toBeNull();
    work.embedder.release();
    const done = work.embedder.texts.length;
    const summary = await work.run();
    expect(summary.embedded).toBe(work.embedder.texts.length - done);
    expect(summary.chunks).toBeGreaterThan(kept);
    expect(summary.embedded).toBeLessThanOrEqual(summary.chunks - kept);
    expect(work.index.reader?.isComplete).toBe(true);
    expect(await work.verify()).toEqual([]);
  });

  it('waits while it is paused and goes on when it is resumed', async () => {
    await create(TREE);
    await work.index.open();
    work.index.pause();
    const run = work.run();
    expect(work.index.state.kind).toBe('paused');
    await Promise.race([run, new Promise((resolve) => setTimeout(resolve, 50))]);
    expect(work.embedder.texts).toEqual([]);
    work.index.resume();
    expect(await run).toMatchObject({ embedded: 3 });
  });

  it.each([
    ['was asked for', () => void work.run()],
    ['follows a checkout', () => work.index.changed([])],
  ])('that %s begins no file while somebody types, and a saved one at once', async (_, begin) => {
    await create(TREE);
    await work.index.open();
    work.rest.noteKey();
    begin();
    await vi.waitFor(() => expect(work.index.state).toMatchObject({ progress: { phase: 'indexing' } }), 10_000);
    await work.write('saved.ts', 'export const justSaved = 1;\n');
    work.index.changed(['saved.ts']);
    await vi.waitFor(async () => expect(await work.rows()).toEqual(['saved.ts:export const justSaved = 1;']), 10_000);
    work.typingClock.advance(2_000);
    await work.index.settled();
    expect(await work.verify()).toEqual([]);
  });

  it('that is paused while somebody types reads no file when the typing ends', async () => {
    await create(TREE);
    await work.index.open();
    work.rest.noteKey();
    const run = work.run();
    await vi.waitFor(() => expect(work.index.state).toMatchObject({ progress: { phase: 'indexing' } }), 10_000);
    work.index.pause();
    work.typingClock.advance(2_000);
    await Promise.race([run, new Promise((resolve) => setTimeout(resolve, 50))]);
    expect(work.embedder.texts).toEqual([]);
    await work.write('a.ts', 'export const writtenInThePause = 1;\n');
    work.index.resume();
    expect(await run).toMatchObject({ embedded: 3 });
    expect(await work.rows()).toContain('a.ts:export const writtenInThePause = 1;');
  });

  it('counts the changes that come while it is paused', async () => {
    await create(TREE);
    await work.run();
    work.index.pause();
    work.index.changed(['a.ts', 'new.ts']);
    expect(work.index.state).toMatchObject({ kind: 'paused', pendingFiles: 2 });
    work.index.resume();
    await work.index.settled();
    expect(work.index.state.kind).toBe('idle');
  });

  it('lists a text that cannot be embedded and still finds it by its words', async () => {
    await create(TREE);
    work.embedder.deadlyWords.add('alpha');
    expect(await work.run()).toMatchObject({ files: 3, skipped: { empty: 1, quarantined: 1 } });
    const status = await work.index.status();
    expect(status.skipped.find(({ path: file }) => file === 'a.ts')).toMatchObject({ reason: 'quarantined' });
    expect(await work.rows()).toContain('a.ts:export function alpha() {');
    expect(await work.verify()).toEqual([]);
    // It is not tried again for nothing.
    const before = work.embedder.texts.length;
    await work.run();
    expect(work.embedder.texts).toHaveLength(before);
  });
});

it('the status of a folder tells why another device embeds than when it was opened', async () => {
  await create(TREE);
  await work.run();
  expect((await work.index.status()).models?.code.fallbackReason).toBeNull();
  work.embedder.fallbackReason = 'The device webgpu fails at any text (lost).';
  expect((await work.index.status()).models?.code.fallbackReason).toContain('webgpu');
});

it('chunks of one text that cannot be embedded count as neither embedded nor reused', async () => {
  const twin = `function twin() {\n${`  // ${'word '.repeat(12)}\n`.repeat(24)}}\n\n`;
  await create({ 'twins.ts': twin.repeat(2) });
  work.embedder.deadlyWords.add('twin');
  const summary = await work.run();
  expect(summary.chunks).toBeGreaterThan(1);
  expect(summary).toMatchObject({ embedded: 0, reused: 0, skipped: { quarantined: 1 } });
});

describe('changes', () => {
  it('follow a saved, a created, a renamed and a deleted file', async () => {
    await create(TREE);
    await work.run();
    await work.write('a.ts', 'const saved = 1;\n', 0);
    await work.change('a.ts');
    expect(await work.rows()).toContain('a.ts:const saved = 1;');
    await work.write('new/c.ts', 'const created = 1;\n', 0);
    await work.change('new/c.ts');
    expect(await work.rows()).toContain('new/c.ts:const created = 1;');
    const before = work.embedder.texts.length;
    await rename(path.join(work.folder, 'new'), path.join(work.folder, 'moved'));
    await work.change('new', 'moved');
    expect(await work.rows()).toContain('moved/c.ts:const created = 1;');
    expect(await work.rows()).not.toContain('new/c.ts:const created = 1;');
    expect(work.embedder.texts).toHaveLength(before);
    await work.remove('moved');
    await work.change('moved');
    expect((await work.rows()).filter((row) => row.startsWith('moved'))).toEqual([]);
    expect(await work.verify()).toEqual([]);
  });

  it('of nothing but the time embed nothing and keep the rows', async () => {
    await create(TREE);
    await work.run();
    const before = work.embedder.texts.length;
    await work.write('a.ts', TREE['a.ts'], 0);
    await work.change('a.ts');
    expect(work.embedder.texts).toHaveLength(before);
    expect(await work.rows()).toContain('a.ts:export function alpha() {');
  });

  it('leave the handle that searches hold in place', async () => {
    await create(TREE);
    await work.run();
    const reader = work.index.reader;
    await work.write('a.ts', 'const saved = 1;\n', 0);
    await work.change('a.ts');
    await work.run();
    expect(work.index.reader).toBe(reader);
  });

  it('that could not be followed leave the index degraded until a pass succeeds', async () => {
    await create(TREE);
    await work.run();
    const embed = work.embedder.embed.bind(work.embedder);
    const reasons: string[] = [];
    work.index.onState((state) => reasons.push(state.kind === 'degraded' ? state.reason : ''));
    work.embedder.embed = () => Promise.reject(new TesseraError('embedder-failed', 'The embedder has failed.'));
    await work.write('a.ts', 'const failing = 1;\n', 0);
    await work.change('a.ts');
    expect(work.index.state).toEqual({ kind: 'degraded', reason: 'The embedder has failed.' });
    expect(reasons.at(-1)).toBe('The embedder has failed.');
    work.embedder.embed = embed;
    await work.write('src/b.py', 'changed = 1\n', 0);
    await work.change('src/b.py');
    expect(work.index.state.kind).toBe('idle');
    // What failed was kept and is made up for.
    expect(await work.rows()).toContain('a.ts:const failing = 1;');
  });

  it('made while a full pass is under way win over what that pass had read before', async () => {
    await create(TREE);
    const embedding = new Promise<void>((resolve) => {
      work.embedder.onEmbed.event((params) => {
        if (params.lane === 'bulk') resolve();
      });
    });
    work.embedder.hold();
    const run = work.run();
    await embedding;
    await work.write('a.ts', 'const newest = 1;\n', 0);
    const saved = new Promise<void>((resolve) => {
      work.embedder.onEmbed.event((params) => {
        if (params.lane === 'saved') resolve();
      });
    });
    work.index.changed(['a.ts']);
    await saved;
    work.embedder.release();
    await run;
    await work.index.settled();
    expect(await work.rows()).toContain('a.ts:const newest = 1;');
    expect(await work.verify()).toEqual([]);
  });
});

describe('an index', () => {
  it('serves while it is rebuilt, and is replaced when the new one is done', async () => {
    await create(TREE);
    await work.run();
    const old = work.index.reader?.name;
    const images = await keepSearchImages();
    work.embedder.hold();
    const embedded = new Promise<void>((resolve) => work.embedder.onEmbed.event(() => resolve()));
    await rm(path.join(work.indexDir, 'embeddings'), { recursive: true });
    const run = work.run({ rebuild: true });
    await embedded;
    expect(work.index.reader?.name).toBe(old);
    expect(await work.rows()).toHaveLength(3);
    work.embedder.release();
    expect(await run).toMatchObject({ chunks: 3 });
    expect(work.index.reader?.name).not.toBe(old);
    expect((await readdir(work.index.dir)).filter((name) => name.endsWith('.lance'))).toHaveLength(1);
    expect(await readdir(work.index.dir)).not.toContain(images);
    expect(await work.verify()).toEqual([]);
  });

  it('of another model is made beside the old one', async () => {
    await create(TREE);
    await work.run();
    await work.restart('another-model');
    work.embedder.hold();
    const embedding = new Promise<void>((resolve) => work.embedder.onEmbed.event(() => resolve()));
    const run = work.run();
    await embedding;
    // The old one serves meanwhile, by words only.
    expect(work.index.reader?.hasVectors).toBe(false);
    expect((await work.index.reader?.chunksWithVectors(['a.ts']))?.map(({ vector }) => vector)).toEqual([null]);
    work.embedder.release();
    expect(await run).toMatchObject({ embedded: 3, model: 'another-model' });
    expect(work.index.reader?.hasVectors).toBe(true);
    expect((await readdir(work.index.dir)).filter((name) => name.endsWith('.lance'))).toHaveLength(1);
    expect(await work.verify()).toEqual([]);
  });

  it('that is damaged is moved aside, made anew, and said so', async () => {
    await create(TREE);
    await work.run();
    const table = path.join(work.index.dir, `${work.index.reader?.name ?? ''}.lance`);
    await work.restart();
    for (const file of await readdir(path.join(table, 'data'))) await truncate(path.join(table, 'data', file), 10);
    expect(await work.run()).toMatchObject({ chunks: 3 });
    expect((await work.index.status()).lastErrors).toEqual([expect.objectContaining({ code: 'store-failed' })]);
    expect(await readdir(path.join(work.index.dir, 'damaged'))).toHaveLength(1);
    expect(await work.verify()).toEqual([]);
  });

  it('is written by one at a time; the other names the writer and can still search', async () => {
    const { run, other } = await createWritten();
    await expect(other.index({ rebuild: false })).rejects.toMatchObject({
      code: 'store-locked',
      details: { pid: process.pid, program: 'a test' },
    });
    expect(other.state).toEqual({ kind: 'waiting', program: 'a test' });
    expect((await other.reader?.files())?.size).toBe(4);
    work.embedder.release();
    await run;
    expect((await other.reader?.chunksOf('a.ts'))?.[0]?.text).toBe('const locked = 1;');
    expect(await other.index({ rebuild: false })).toMatchObject({ embedded: 0 });
    expect(other.state.kind).toBe('idle');
  });

  it('is of the same files for a program without settings as for the one with settings that made it', async () => {
    await create(TREE);
    work.index.applySettings({ ...SETTINGS, exclude: ['a.ts'] });
    const { files } = await work.run();
    const other = work.other(work.folder);
    await other.open();
    expect(await work.verify()).toEqual([]);
    expect((await other.verify({ repair: false })).differences).not.toEqual([]);
    other.applySettings({ ...SETTINGS, yieldsToIndex: true });
    expect((await other.verify({ repair: false })).differences).toEqual([]);
    expect(await other.index({ rebuild: false })).toMatchObject({ files, embedded: 0 });
    expect(await other.index({ rebuild: true })).toMatchObject({ files });
    expect((await other.verify({ repair: false })).differences).toEqual([]);
    work.index.applySettings(SETTINGS);
    expect(await work.run()).toMatchObject({ files: files + 1 });
    expect(await other.index({ rebuild: false })).toMatchObject({ files: files + 1, embedded: 0 });
    expect((await other.verify({ repair: false })).differences).toEqual([]);
  });

  it('that was never made leaves nothing on the disk', async () => {
    await create(TREE);
    await work.index.open();
    expect(work.index.state).toEqual({ kind: 'idle', files: 0, chunks: 0 });
    await expect(work.index.verify({ repair: true })).rejects.toMatchObject({ code: 'not-indexed' });
    expect(() => work.index.requireReader()).toThrow('is not indexed');
    expect(await readdir(work.root)).toEqual(['work']);
  });

  it('that cannot be read says so, and is made anew by a repair', async () => {
    await create(TREE);
    await work.run();
    const table = path.join(work.index.dir, `${work.index.reader?.name ?? ''}.lance`);
    await work.restart();
    for (const file of await readdir(path.join(table, 'data'))) await truncate(path.join(table, 'data', file), 10);
    await work.index.open();
    expect(work.index.state).toMatchObject({ kind: 'degraded', reason: expect.stringContaining('damaged') as string });
    expect(() => work.index.requireReader()).toThrow('is damaged and cannot be read');
    await expect(work.index.verify({ repair: false })).rejects.toMatchObject({ code: 'store-failed' });
    expect((await work.index.verify({ repair: true })).differences).toEqual([]);
    expect(work.index.state.kind).toBe('idle');
  });

  it('can be cleared without a model', async () => {
    await create(TREE);
    await work.run();
    await work.restart();
    work.embedder.open = () => Promise.reject(new TesseraError('model-missing', 'There is no model.'));
    await expect(work.index.open()).rejects.toMatchObject({ code: 'model-missing' });
    await work.index.clear();
    expect(await readdir(path.join(work.indexDir, 'folders'))).toEqual([]);
    expect(work.index.state).toEqual({ kind: 'degraded', reason: 'There is no model.' });
    await work.restart();
    expect(await work.run()).toMatchObject({ chunks: 3, embedded: 0, reused: 3 });
  });

  it('is not cleared while another writes it', async () => {
    const { run, other } = await createWritten();
    await expect(other.clear()).rejects.toMatchObject({ code: 'store-locked' });
    expect((await other.reader?.files())?.size).toBe(4);
    work.embedder.release();
    await run;
    await other.clear();
    expect(await readdir(path.join(work.indexDir, 'folders'))).toEqual([]);
  });

  it('that another process has cleared has no files, and says so', async () => {
    await create(TREE);
    await work.run();
    const states: FolderState[] = [];
    work.index.onState((state) => states.push(state));
    await work.other(work.folder).clear();
    expect(await work.index.status()).toMatchObject({ files: 0, chunks: 0, state: { kind: 'idle', files: 0 } });
    expect(states.at(-1)).toMatchObject({ kind: 'idle', files: 0 });
    expect(await work.index.fileState('a.ts')).toEqual({ kind: 'pending' });
    expect(await work.run()).toMatchObject({ chunks: 3, embedded: 0, reused: 3 });
  });

  it('that was cleared is gone and can be made again', async () => {
    await create(TREE);
    await work.run();
    await work.index.clear();
    expect(work.index.reader).toBeUndefined();
    expect(await work.run()).toMatchObject({ chunks: 3, embedded: 0, reused: 3 });
  });

  it('is repaired where rows differ from the disk', async () => {
    await create(TREE);
    await work.run();
    await work.write('a.ts', 'const silent = 1;\n', 60_000);
    await work.write('b.ts', 'const unseen = 1;\n');
    await work.remove('src');
    expect([...(await work.verify())].sort()).toEqual([
      'a.ts: outdated',
      'b.ts: not-indexed',
      'src/b.py: not-in-folder',
    ]);
    const images = await keepSearchImages();
    expect((await work.index.verify({ repair: true })).differences).toEqual([]);
    // Made of rows that differed.
    expect(await readdir(work.index.dir)).not.toContain(images);
    expect(await work.rows()).toContain('a.ts:const silent = 1;');
  });
});

describe('upkeep at rest', () => {
  /** A followed save, and how often upkeep was asked for since. */
  async function saved() {
    await create(TREE);
    await work.run();
    const maintain = vi.spyOn(work.index.reader!, 'maintain');
    await work.write('a.ts', 'const saved = 1;\n', 0);
    await work.change('a.ts');
    return { times: () => maintain.mock.calls.filter(([{ need }]) => need === 'due').length };
  }
  const indexes = () => readdir(path.join(work.indexDir, 'folders'));

  it('comes once after saves', async () => {
    const { times } = await saved();
    await work.restFromSaving();
    expect(times()).toBe(1);
    await work.restFromSaving();
    expect(times()).toBe(1);
  });

  it('does not bring back an index that was cleared', async () => {
    const { times } = await saved();
    await work.index.clear();
    await work.restFromSaving();
    expect(times()).toBe(0);
    expect(await indexes()).toEqual([]);
    expect(work.index.reader).toBeUndefined();
    // One that another process cleared: nothing has told this one.
    await work.run();
    await work.write('a.ts', 'const more = 1;\n', 0);
    await work.change('a.ts');
    await work.other(work.folder).clear();
    await work.restFromSaving();
    expect(await indexes()).toEqual([]);
    await work.index.refresh();
    expect(work.index.reader).toBeUndefined();
    expect((await work.index.status()).lastErrors).toEqual([]);
  });

  it('neither moves aside an index that cannot be read nor begins another', async () => {
    await saved();
    const table = work.index.reader!.name;
    await work.other(work.folder).index({ rebuild: false });
    const versions = path.join(work.index.dir, `${table}.lance`, '_versions');
    await rm(versions, { recursive: true });
    const before = (await readdir(work.index.dir)).sort();
    await work.restFromSaving();
    expect((await readdir(work.index.dir)).sort()).toEqual(before);
  });

  it('that falls into a pause comes after it', async () => {
    const { times } = await saved();
    work.index.pause();
    for (let rests = 0; rests < 3; rests++) await work.restFromSaving();
    expect(times()).toBe(0);
    work.index.resume();
    await vi.waitFor(async () => {
      await work.restFromSaving();
      expect(times()).toBe(1);
    });
  });

  it('that falls into a pass that fails comes after it', async () => {
    const { times } = await saved();
    work.embedder.hold();
    const embedding = new Promise<void>((resolve) => work.embedder.onEmbed.event(() => resolve()));
    await work.write('b.ts', 'const held = 1;\n');
    const stop = new AbortController();
    const run = work.run({}, stop.signal);
    await embedding;
    const rested = work.restFromSaving();
    stop.abort();
    await expect(run).rejects.toMatchObject({ code: 'cancelled' });
    await rested;
    expect(times()).toBe(0);
    work.embedder.release();
    await vi.waitFor(async () => {
      await work.restFromSaving();
      expect(times()).toBe(1);
    });
  });

  it('is not forgotten when changes could not be followed to their end', async () => {
    const { times } = await saved();
    await work.restFromSaving();
    const chunks = vi.spyOn(work.index.reader!, 'apply').mockRejectedValueOnce(new TesseraError('store-failed', 'No.'));
    await work.write('a.ts', 'const failed = 1;\n', 0);
    await work.change('a.ts');
    expect(chunks).toHaveBeenCalledOnce();
    await work.restFromSaving();
    expect(times()).toBe(2);
  });

  it('lets in changes that arrive while it opens the index', async () => {
    await saved();
    await work.write('a.ts', 'const during = 1;\n', 0);
    const rested = work.restFromSaving();
    work.index.changed(['a.ts']);
    await rested;
    await work.index.settled();
    expect(await work.rows()).toContain('a.ts:const during = 1;');
    expect((await work.index.status()).lastErrors).toEqual([]);
  });
});

describe('two processes', () => {
  it('share an index: what one makes, replaces or deletes, the other finds after looking again', async () => {
    await create(TREE);
    await work.index.open();
    const other = work.other(work.folder);
    await other.index({ rebuild: false });
    expect(work.index.reader).toBeUndefined();
    await work.index.refresh();
    expect((await work.index.reader?.files())?.size).toBe(4);
    await other.index({ rebuild: true });
    await expect(work.index.reader?.chunksOf('a.ts')).rejects.toMatchObject({ code: 'store-failed' });
    await work.index.refresh();
    expect(await work.rows()).toHaveLength(3);
    await other.clear();
    await work.index.refresh();
    expect(work.index.reader).toBeUndefined();
  });

  it('lose no change that is made while the other one writes', async () => {
    const { run, other } = await createWritten();
    await work.write('src/b.py', 'changed = 1\n', 0);
    other.changed(['src/b.py']);
    work.embedder.release();
    await run;
    await other.settled();
    expect(await work.rows()).toContain('src/b.py:changed = 1');
  });

  it('keep what they were told of when the index cannot be cleared because the other one writes', async () => {
    const { run, other } = await createWritten();
    await work.write('src/b.py', 'changed = 1\n', 0);
    other.pause();
    other.changed(['src/b.py']);
    await expect(other.clear()).rejects.toMatchObject({ code: 'store-locked' });
    expect(other.state).toMatchObject({ kind: 'paused', pendingFiles: 1 });
    work.embedder.release();
    await run;
    other.resume();
    await other.settled();
    expect(await work.rows()).toContain('src/b.py:changed = 1');
  });

  it('keep their index out of the index when it lies inside the folder', async () => {
    await create(TREE);
    const inside = await IndexedFolder.create(TREE, 'work/.index+1');
    await inside.run();
    await inside.run();
    expect([...((await inside.index.reader?.files())?.keys() ?? [])].sort()).toEqual([
      'a.ts',
      'docs/guide.md',
      'empty.ts',
      'src/b.py',
    ]);
    await inside.dispose();
  });
});
