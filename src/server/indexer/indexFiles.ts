import { throwIfCancelled } from '../../base/cancellation.ts';
import type { Clock } from '../../base/clock.ts';
import type { Lane } from '../../protocol/embedder.ts';
import type { CandidateFile } from '../scanner/entries.ts';
import type { FileRecord } from '../store/chunkStore.ts';
import { type EmbeddingSources, embedGroup } from './embedGroup.ts';
import type { FileTurns } from './fileTurns.ts';
import { GroupSize } from './groupSize.ts';
import { mapAhead } from './mapAhead.ts';
import type { PauseGate } from './pauseGate.ts';
import { type PreparedFile, type Preparation, type Preparer, prepareFile } from './preparedFile.ts';
import type { RunProgress } from './runProgress.ts';
import type { TypingRest } from './typingRest.ts';

/** Everything a pass over files needs, the same for the full pass and for saves. */
export interface Pass extends EmbeddingSources, Preparer {
  readonly turns: FileTurns;
  readonly gate: PauseGate;
  /** Holds up bulk work; a saved file is waited for. */
  readonly rest: TypingRest;
  readonly clock: Clock;
  readonly progress: RunProgress;
  /** Called after each commit with the paths it was about. */
  readonly onCommitted: (paths: readonly string[]) => void;
  readonly signal: AbortSignal;
}

/** Files read and cut ahead of the embedder, which must never wait for them. */
const FILES_AHEAD = 16;
/** One group is embedded, one waits behind it so that the embedder goes on, one is being committed. */
const GROUPS_UNDER_WAY = 3;

interface Turned {
  readonly turn: number;
  readonly size: number;
  readonly preparation: Preparation;
}

/**
 * Brings the rows of these files up to date, in order: read → cut → embed → commit, each stage a little ahead of the next. Files
 * are committed in groups; a file is never split between two. When it is cancelled or fails, committed groups stay.
 *
 * @param removedByHash stored files that are about to go, by content: a new file with the same content was moved from there
 */
export async function indexFiles(
  pass: Pass,
  files: readonly CandidateFile[],
  lane: Lane,
  removedByHash: ReadonlyMap<string, string> = new Map(),
): Promise<void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([pass.signal, stop.signal]);
  const stored = await pass.store.files();
  const size = new GroupSize();
  const underWay = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;

  const mayBegin = async (): Promise<void> => {
    await pass.gate.pass(signal);
    if (lane !== 'bulk') return;
    await pass.rest.pass(signal);
    // It may have been paused meanwhile.
    await pass.gate.pass(signal);
  };

  const start = async (group: readonly Turned[]): Promise<void> => {
    await mayBegin();
    if (underWay.size >= GROUPS_UNDER_WAY) await Promise.race(underWay);
    if (failure !== undefined) return;
    const work = commitGroup({ ...pass, signal }, group, lane, removedByHash, size)
      .catch((error: unknown) => {
        failure ??= { error };
        stop.abort();
      })
      .finally(() => underWay.delete(work));
    underWay.add(work);
  };

  const prepare = async (file: CandidateFile): Promise<Turned> => {
    await mayBegin();
    throwIfCancelled(signal);
    const turn = pass.turns.take();
    return { turn, size: file.size, preparation: await prepareFile(pass, file, stored.get(file.path), signal) };
  };

  pass.turns.startPass();
  try {
    let group: Turned[] = [];
    let chunks = 0;
    for await (const turned of mapAhead(files, FILES_AHEAD, prepare)) {
      group.push(turned);
      if (turned.preparation.kind === 'replace') chunks += turned.preparation.file.chunks.length;
      // A touched file costs a row; a thousand of them make a commit too.
      if (chunks < size.chunks && group.length < 1_000) continue;
      await start(group);
      group = [];
      chunks = 0;
      if (failure !== undefined) break;
    }
    if (group.length > 0 && failure === undefined) await start(group);
  } catch (error) {
    failure ??= { error };
    stop.abort();
  } finally {
    await Promise.all(underWay);
    pass.turns.endPass();
  }
  if (failure !== undefined) throw failure.error;
}

async function commitGroup(
  pass: Pass,
  group: readonly Turned[],
  lane: Lane,
  removedByHash: ReadonlyMap<string, string>,
  size: GroupSize,
): Promise<void> {
  const startedAtMs = pass.clock.now();
  const prepared: PreparedFile[] = [];
  const touched: FileRecord[] = [];
  const gone: string[] = [];
  const turnOf = new Map<string, number>();
  for (const { preparation, turn } of group) {
    if (preparation.kind === 'replace') prepared.push(preparation.file);
    else if (preparation.kind === 'touch') touched.push(preparation.record);
    else gone.push(preparation.path);
    turnOf.set(pathOf(preparation), turn);
  }
  const stored = await pass.store.files();
  const movedFrom = new Map(
    prepared.flatMap(({ record }) => {
      const from = stored.has(record.path) ? undefined : removedByHash.get(record.fileHash);
      return from === undefined || record.fileHash === '' ? [] : [[record.path, from] as const];
    }),
  );
  const written = await embedGroup(pass, prepared, movedFrom, lane, pass.progress, pass.signal);

  // No await between claiming and handing over: the order of claims is the order of commits.
  const isNewest = (path: string) => pass.turns.claim(path, turnOf.get(path) ?? 0);
  const change = {
    replace: written.filter(({ record }) => isNewest(record.path)),
    touch: touched.filter(({ path }) => isNewest(path)),
    remove: gone.filter((path) => isNewest(path) && stored.has(path)),
  };
  const paths = [
    ...change.replace.map(({ record }) => record.path),
    ...change.touch.map(({ path }) => path),
    ...change.remove,
  ];
  if (paths.length > 0) await pass.store.apply(change);
  for (const turned of group) pass.progress.finishFile(turned.size);
  const chunks = prepared.reduce((sum, file) => sum + file.chunks.length, 0);
  size.learn(chunks, pass.clock.now() - startedAtMs);
  pass.onCommitted(paths);
}

function pathOf(preparation: Preparation): string {
  switch (preparation.kind) {
    case 'replace':
      return preparation.file.record.path;
    case 'touch':
      return preparation.record.path;
    case 'gone':
      return preparation.path;
  }
}
