import assert from 'node:assert/strict';
import { getPriority } from 'node:os';
import { embedderProcess, serverProcess } from './processes.ts';
import { eventually, search, searchText, untilBestHit, writeOnDisk } from './searching.ts';

// `ps` is how the children are found.
if (process.platform !== 'win32') {
  suite('children', () => {
    test('both give way to what a person does', async () => {
      await untilBestHit('where are failed calls tried again', 'src/retry.ts');
      const server = await eventually('a server runs', serverProcess, (pid) => pid !== undefined);
      const embedder = await eventually('an embedder runs', embedderProcess, (pid) => pid !== undefined);
      for (const pid of [server!, embedder!]) assert.ok(getPriority(pid) > getPriority(process.pid));
    });

    test('a killed embedder is started again and search never stops', async () => {
      await untilBestHit('where are failed calls tried again', 'src/retry.ts');
      const embedder = await eventually('an embedder runs', embedderProcess, (pid) => pid !== undefined);
      process.kill(embedder!, 'SIGKILL');
      const during = await search('withRetries');
      assert.equal(during[0]?.path, 'src/retry.ts');
      const fresh = await eventually(
        'another embedder runs',
        async () => {
          // Words of its own each time, so that no answer comes from a cache.
          await searchText(`where are failed calls tried again ${performance.now()}`);
          return embedderProcess();
        },
        (pid) => pid !== undefined && pid !== embedder,
      );
      assert.ok(fresh);
      const text = await eventually(
        'search is whole again',
        () => searchText('where are failed calls tried again'),
        (answer) => !answer.includes('only a part of the search ran'),
      );
      assert.match(text, /src\/retry\.ts/);
    });

    test('a killed index server is started again and finds what was changed meanwhile', async () => {
      const server = await eventually('a server runs', serverProcess, (pid) => pid !== undefined);
      process.kill(server!, 'SIGKILL');
      await writeOnDisk('src/volcano.ts', '/** Warns of an eruption of the volcano. */\nexport const warn = true;\n');
      await eventually('another server runs', serverProcess, (pid) => pid !== undefined && pid !== server);
      await untilBestHit('warning of a volcano eruption', 'src/volcano.ts');
    });
  });
}
