import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { scanFolder } from '../../../src/server/scanner/scanFolder.ts';
import {
  makeFolder,
  OPTIONS,
  remove,
  scanAll,
  scanFiles,
  scanSkipped,
  withoutPrivileges,
  write,
} from './temporaryFolder.ts';

let folder: string;

beforeEach(() => {
  folder = makeFolder();
});

afterEach(() => {
  remove(folder);
});

describe('scanFolder', () => {
  it('yields every file with its size, and the totals last', async () => {
    write(folder, { 'a.ts': 'one', 'src/b.ts': 'three', 'src/empty/': '' });
    const entries = await scanAll(folder);
    expect(entries.filter((entry) => entry.kind === 'file').map(({ path, size }) => [path, size])).toEqual(
      expect.arrayContaining([
        ['a.ts', 3],
        ['src/b.ts', 5],
      ]),
    );
    expect(entries.at(-1)).toMatchObject({ kind: 'totals', files: 2, skipped: 0, folders: 3 });
  });

  it('honours ignore files at every level, relative to their folder, the nearest first', async () => {
    write(folder, {
      '.gitignore': '*.log\n/build\nlib/\n',
      'a.log': 'x',
      'build/x.ts': 'x',
      'src/build/y.ts': 'y',
      'src/.gitignore': '!keep.log\n/only-here\n',
      'src/keep.log': 'x',
      'src/only-here/z.ts': 'z',
      'src/deep/only-here/z.ts': 'z',
      'src/lib/w.ts': 'w',
    });
    expect(await scanFiles(folder)).toEqual(
      ['.gitignore', 'src/.gitignore', 'src/build/y.ts', 'src/deep/only-here/z.ts', 'src/keep.log'].sort(),
    );
  });

  it('brings nothing back from inside an ignored folder', async () => {
    write(folder, { '.gitignore': 'out/\n!out/keep.ts\n', 'out/keep.ts': 'x', 'out/.gitignore': '!*\n', 'a.ts': 'a' });
    expect(await scanFiles(folder)).toEqual(['.gitignore', 'a.ts']);
  });

  it('lets .tesseraignore win over .ignore, and .ignore over .gitignore, whatever their levels', async () => {
    write(folder, {
      '.tesseraignore': '!generated/\nsecret-plans/\n',
      '.ignore': '!dist/\n',
      '.gitignore': 'generated/\ndist/\n',
      'sub/.gitignore': 'generated/\n!secret-plans/\n',
      'generated/a.ts': 'a',
      'sub/generated/b.ts': 'b',
      'sub/secret-plans/c.ts': 'c',
      'dist/d.ts': 'd',
    });
    const files = await scanFiles(folder);
    expect(files).toEqual(expect.arrayContaining(['generated/a.ts', 'sub/generated/b.ts', 'dist/d.ts']));
    expect(files).not.toContain('sub/secret-plans/c.ts');
  });

  it('honours only .tesseraignore when told to leave ignore files alone', async () => {
    write(folder, {
      '.gitignore': '*.a\n',
      '.ignore': '*.b2\n',
      '.tesseraignore': '*.c2\n',
      'x.b2': 'x',
      'x.c2': 'x',
      'x.a2': 'x',
    });
    const files = await scanFiles(folder, { ...OPTIONS, useIgnoreFiles: false });
    expect(files.filter((file) => file.startsWith('x.'))).toEqual(['x.a2', 'x.b2']);
  });

  it('honours globs of the settings over every ignore file', async () => {
    write(folder, {
      '.tesseraignore': '!*\n',
      'a.ts': 'a',
      'src/a.gen.ts': 'g',
      'out/b.ts': 'b',
      'src/tmp/c.ts': 'c',
      'src/out/d.ts': 'd',
    });
    const exclude = ['**/*.gen.ts', 'out', '**/tmp', ' ', './nothing/'];
    expect(await scanFiles(folder, { ...OPTIONS, exclude })).toEqual(['.tesseraignore', 'a.ts', 'src/out/d.ts']);
  });

  it("honours the rules of the repository around the folder, and its own files' names below it", async () => {
    execFileSync('git', ['-C', folder, 'init', '-q']);
    write(folder, {
      '.gitignore': '/packages/app/generated/\n*.tmp\n',
      '.git/info/exclude': 'local-notes/\n',
      'packages/.gitignore': 'app/cache/\n',
      'packages/app/generated/a.ts': 'a',
      'packages/app/cache/b.ts': 'b',
      'packages/app/local-notes/c.ts': 'c',
      'packages/app/d.tmp': 'd',
      'packages/app/generated.ts': 'e',
    });
    expect(await scanFiles(path.join(folder, 'packages/app'))).toEqual(['generated.ts']);
  });

  it('reads a folder that its repository ignores by its own rules alone, as whoever opens it means its files', async () => {
    execFileSync('git', ['-C', folder, 'init', '-q']);
    write(folder, {
      '.gitignore': 'node_modules/\ndist/\n',
      'node_modules/pack/dist/a.js': 'a',
      'node_modules/pack/b.log': 'b',
      'node_modules/pack/.gitignore': '*.log\n',
    });
    expect(await scanFiles(path.join(folder, 'node_modules/pack'))).toEqual(['.gitignore', 'dist/a.js']);
  });

  it("applies a nested repository's own rules in it, and not the outer one's", async () => {
    execFileSync('git', ['-C', folder, 'init', '-q']);
    write(folder, { '.gitignore': '*.outer\n', 'vendor/lib/.gitignore': '*.inner\n' });
    execFileSync('git', ['-C', path.join(folder, 'vendor/lib'), 'init', '-q']);
    write(folder, {
      'vendor/lib/a.inner': 'a',
      'vendor/lib/b.outer': 'b',
      'vendor/c.outer': 'c',
      'vendor/d.inner': 'd',
    });
    expect(await scanFiles(folder)).toEqual([
      '.gitignore',
      'vendor/d.inner',
      'vendor/lib/.gitignore',
      'vendor/lib/b.outer',
    ]);
  });

  it("finds a worktree's excludes in the repository it belongs to", async () => {
    const repository = makeFolder({ 'a.ts': 'a' });
    const git = (...args: string[]) =>
      execFileSync('git', ['-C', repository, '-c', 'user.name=t', '-c', 'user.email=t@t', ...args]);
    git('init', '-q');
    git('add', '.');
    git('commit', '-q', '-m', 'first');
    git('worktree', 'add', '-q', path.join(folder, 'tree'));
    write(repository, { '.git/info/exclude': '*.local\n' });
    write(folder, { 'tree/b.local': 'b' });
    expect(await scanFiles(path.join(folder, 'tree'))).toEqual(['a.ts']);
    remove(repository);
  });

  it('leaves out installed packages and caches without being told, says so, and takes them when told', async () => {
    write(folder, {
      'node_modules/x/index.js': 'x',
      'env/pyvenv.cfg': 'home = /usr\n',
      'env/lib/a.py': 'a',
      'target/CACHEDIR.TAG': 'Signature: 8a477f597d28d172789f06886806bc55\n',
      'target/b.rs': 'b',
      'main.ts': 'm',
    });
    expect(await scanFiles(folder)).toEqual(['main.ts']);
    expect(await scanSkipped(folder)).toEqual({
      node_modules: 'excluded: packages installed by npm',
      env: 'excluded: Python virtual environment',
      target: 'excluded: marked as a cache by its CACHEDIR.TAG',
    });
    write(folder, { '.tesseraignore': '!node_modules/\n!target/\n' });
    expect(await scanFiles(folder)).toEqual(expect.arrayContaining(['node_modules/x/index.js', 'target/b.rs']));
  });

  it("never shows version control's own files, nor a bare repository", async () => {
    execFileSync('git', ['-C', folder, 'init', '-q', '--bare', 'store.git']);
    write(folder, {
      '.git/config': 'x',
      '.hg/store': 'x',
      'sub/.svn/entries': 'x',
      '.tesseraignore': '!.git/\n!.hg/\n',
      'a.ts': 'a',
    });
    expect(await scanFiles(folder)).toEqual(['.tesseraignore', 'a.ts']);
  });

  it('skips by name and size what needs no reading, each with its reason', async () => {
    write(folder, {
      '.env': 'KEY=1',
      '.env.example': 'KEY=',
      'server.key': 'k',
      'logo.png': 'p',
      'yarn.lock': 'y',
      'app.min.js': 'm',
      'app.js.map': '{}',
      'empty.ts': '',
      'big.ts': 'x'.repeat(200_001),
      'jest.snap': 'x'.repeat(70_000),
    });
    expect(await scanFiles(folder)).toEqual(['.env.example']);
    expect(await scanSkipped(folder)).toEqual({
      '.env': 'secret: environment file',
      'server.key': 'secret: private key or certificate',
      'logo.png': 'binary: image',
      'yarn.lock': 'generated: lock file of Yarn',
      'app.min.js': 'minified: its name says so',
      'app.js.map': 'generated: source map',
      'empty.ts': 'empty: no content',
      'big.ts': 'too-large: 200.0 kB, limit 100.0 kB',
      'jest.snap': 'generated: test snapshot, 70.0 kB',
    });
  });

  it.skipIf(process.platform === 'win32')('follows no link: none that loops, leads out or repeats a file', async () => {
    const outside = makeFolder({ 'private.ts': 'p' });
    write(folder, { 'src/a.ts': 'a' });
    fs.symlinkSync(folder, path.join(folder, 'src/loop'));
    fs.symlinkSync(outside, path.join(folder, 'out'));
    fs.symlinkSync(path.join(outside, 'private.ts'), path.join(folder, 'private.ts'));
    fs.symlinkSync('a.ts', path.join(folder, 'src/alias.ts'));
    fs.symlinkSync('nowhere', path.join(folder, 'dangling'));
    expect(await scanFiles(folder)).toEqual(['src/a.ts']);
    expect((await scanAll(folder)).at(-1)).toMatchObject({ links: 5 });
    remove(outside);
  });

  it('scans the folder a link names', async () => {
    write(folder, { 'real/a.ts': 'a' });
    fs.symlinkSync(path.join(folder, 'real'), path.join(folder, 'link'));
    expect(await scanFiles(path.join(folder, 'link'))).toEqual(['a.ts']);
  });

  it.skipIf(process.platform !== 'linux')('takes any valid name, and reports those that are no UTF-8', async () => {
    write(folder, { 'line\nend.ts': 'a', 'back\\slash.ts': 'b', 'replaced\ufffd.ts': 'c', 'é 漢字 😀.ts': 'd' });
    fs.writeFileSync(Buffer.from(`${folder}/caf\xe9.ts`, 'latin1'), 'e');
    fs.mkdirSync(Buffer.from(`${folder}/\xff`, 'latin1'));
    fs.writeFileSync(Buffer.from(`${folder}/\xff/f.ts`, 'latin1'), 'f');
    expect(await scanFiles(folder)).toEqual(
      ['line\nend.ts', 'back\\slash.ts', 'replaced\ufffd.ts', 'é 漢字 😀.ts'].sort(),
    );
    expect(await scanSkipped(folder)).toEqual({
      'caf\\xe9.ts': 'unreadable: its name is no valid UTF-8',
      '\\xff': 'unreadable: its name is no valid UTF-8',
    });
  });

  it.skipIf(process.platform === 'win32')('reports a folder it may not read and goes on', async () => {
    write(folder, { 'closed/a.ts': 'a', 'b.ts': 'b' });
    fs.chmodSync(folder, 0o755);
    fs.chmodSync(path.join(folder, 'closed'), 0);
    await withoutPrivileges(async () => {
      expect(await scanFiles(folder)).toEqual(['b.ts']);
      expect(await scanSkipped(folder)).toEqual({ closed: 'unreadable: permission denied' });
    });
  });

  it('scans one folder of it by the same rules', async () => {
    write(folder, { '.gitignore': 'a/x/\n', 'a/x/1.ts': '1', 'a/y/2.ts': '2', 'b/3.ts': '3' });
    expect(await scanFiles(folder, OPTIONS, 'a')).toEqual(['a/y/2.ts']);
    expect(await scanFiles(folder, OPTIONS, 'a/x')).toEqual([]);
    expect(await scanFiles(folder, OPTIONS, 'nowhere')).toEqual([]);
  });

  it('fails when the folder is missing or a file', async () => {
    write(folder, { 'a.ts': 'a' });
    await expect(scanAll(path.join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'folder-unreadable' });
    await expect(scanAll(path.join(folder, 'a.ts'))).rejects.toMatchObject({ code: 'folder-unreadable' });
  });

  it('stops when cancelled, before and during the walk', async () => {
    write(folder, Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`d${index}/f.ts`, 'x'])));
    const walk = async (abortAt: number) => {
      const controller = new AbortController();
      let seen = 0;
      if (abortAt === 0) controller.abort();
      for await (const entry of scanFolder(folder, OPTIONS, controller.signal)) {
        if (entry.kind === 'file' && ++seen === abortAt) controller.abort();
      }
    };
    await expect(walk(0)).rejects.toMatchObject({ code: 'cancelled' });
    await expect(walk(1)).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('may be left early', async () => {
    write(folder, { 'a.ts': 'a', 'b.ts': 'b' });
    for await (const entry of scanFolder(folder, OPTIONS)) {
      expect(entry.kind).toBe('file');
      break;
    }
  });
});
