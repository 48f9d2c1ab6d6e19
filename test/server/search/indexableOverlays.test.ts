import { beforeEach, describe, expect, it } from 'vitest';
import { cancelledError } from '../../../src/base/cancellation.ts';
import { TesseraError } from '../../../src/base/errors.ts';
import { type LogRecord, Logger } from '../../../src/base/logger.ts';
import type { PathVerdict } from '../../../src/server/scanner/entries.ts';
import { IndexableOverlays } from '../../../src/server/search/indexableOverlays.ts';
import { ManualClock } from '../../fakes/manualClock.ts';

const GONE = '/gone';
const text = (folder: string, path: string) => ({ folder, path, text: 'export const unsaved = 1;\n' });
const never = new AbortController().signal;

describe('which unsaved texts are searched', () => {
  let clock: ManualClock;
  let asked: string[];
  let logged: LogRecord[];
  let overlays: IndexableOverlays;

  beforeEach(() => {
    clock = new ManualClock();
    asked = [];
    logged = [];
    overlays = new IndexableOverlays({
      clock,
      logger: new Logger({ level: 'warn', write: (record) => logged.push(record) }, 'test'),
      judge: (folder, paths, signal) => {
        if (signal?.aborted === true) return Promise.reject(cancelledError());
        if (folder === GONE) return Promise.reject(new TesseraError('folder-unreadable', 'It cannot be read.'));
        asked.push(...paths);
        return Promise.resolve(paths.map((path): PathVerdict => verdictOf(path)));
      },
    });
  });

  it('is remembered for a few seconds, and until the settings of the folder change', async () => {
    const both = [text('/a', 'a.ts'), text('/a', 'ignored.ts')];
    expect(await overlays.pick(both, never)).toEqual([both[0]]);
    expect(await overlays.pick([...both, text('/a', 'b.ts')], never)).toEqual([both[0], text('/a', 'b.ts')]);
    expect(asked).toEqual(['a.ts', 'ignored.ts', 'b.ts']);
    overlays.forget('/a');
    await overlays.pick(both, never);
    expect(asked.slice(3)).toEqual(['a.ts', 'ignored.ts']);
    clock.advance(3_000);
    await overlays.pick(both, never);
    expect(asked.slice(5)).toEqual(['a.ts', 'ignored.ts']);
  });

  it('is found out for the other folders when one cannot be read, and the log says so', async () => {
    expect(await overlays.pick([text(GONE, 'a.ts'), text('/a', 'a.ts')], never)).toEqual([text('/a', 'a.ts')]);
    expect(logged.map(({ fields }) => fields)).toEqual([{ folder: GONE, error: 'It cannot be read.' }]);
  });

  it('is not found out for a search that is cancelled', async () => {
    const picked = overlays.pick([text('/a', 'a.ts')], AbortSignal.abort());
    await expect(picked).rejects.toMatchObject({ code: 'cancelled' });
    expect(logged).toEqual([]);
  });
});

function verdictOf(path: string): PathVerdict {
  if (path.startsWith('ignored')) return { kind: 'ignored', path };
  return { kind: 'file', path, size: 1, mtimeMs: 0, ctimeMs: 0, inode: 1 };
}
