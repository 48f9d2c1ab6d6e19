import { writeFile } from 'node:fs/promises';
import { Session } from 'node:inspector/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import * as vscode from 'vscode';

/** What is measured inside the extension host. Milliseconds. */
export interface HostMeasures {
  readonly indexMs: number;
  /** While the folder is indexed for the first time, by the command, in a window that has come to rest. */
  readonly busy: LoopMeasures;
  /** Whether the window came to rest before that within `REST_WITHIN_MS`; if not, VS Code's own work is in the figures. */
  readonly cameToRest: boolean;
  /** Before that, with nothing to do: what the machine and VS Code's own extensions cause. */
  readonly idle: LoopMeasures;
  /** From the call of `save` to the first answer with the new text, asked for anew `ASKED_ANEW_MS` after each answer without it. */
  readonly saveToSearchableMs: readonly number[];
  /** Files whose new text was not found within `GIVE_UP_MS`. */
  readonly neverFound: readonly string[];
}

export interface LoopMeasures {
  /** Longest time between two turns of the loop beyond the timer's own, waiting for a processor included. */
  readonly longestBlockMs: number;
  /** Longest processor time of one turn: what the code itself did, whoever else wanted the machine. */
  readonly longestTurnCpuMs: number;
  readonly turns: number;
  /** The longest blocks, longest first. */
  readonly worst: readonly Block[];
}

interface Block {
  readonly blockMs: number;
  readonly cpuMs: number;
  /** Since the watch began. */
  readonly endedAtMs: number;
  /** How often the processor was taken away from this process meanwhile. */
  readonly preemptions: number;
}

const TICK_MS = 5;
const WORST = 5;
const QUIET_SECONDS = 5;
const REST_WITHIN_MS = 60_000;
const IDLE_MS = 10_000;
const SAVES = 100;
const GIVE_UP_MS = 10_000;
/** About as often as a person who types could ask: asked without a pause, the searches take the processors from the indexing. */
const ASKED_ANEW_MS = 100;

/** Watches every turn of the event loop until it is stopped. */
function watchLoop(): () => LoopMeasures {
  const read = () => ({
    atMs: performance.now(),
    cpu: process.threadCpuUsage(),
    preemptions: process.resourceUsage().involuntaryContextSwitches,
  });
  const start = performance.now();
  let last = read();
  let turns = 0;
  let longestTurnCpuMs = 0;
  let worst: readonly Block[] = [];
  const timer = setInterval(() => {
    const now = read();
    const cpuMs = (now.cpu.user + now.cpu.system - last.cpu.user - last.cpu.system) / 1_000;
    const blockMs = now.atMs - last.atMs - TICK_MS;
    longestTurnCpuMs = Math.max(longestTurnCpuMs, cpuMs);
    turns += 1;
    if (worst.length < WORST || blockMs > (worst.at(-1)?.blockMs ?? 0)) {
      const preemptions = now.preemptions - last.preemptions;
      worst = [...worst, { blockMs, cpuMs, endedAtMs: now.atMs - start, preemptions }]
        .toSorted((a, b) => b.blockMs - a.blockMs)
        .slice(0, WORST);
    }
    last = read();
  }, TICK_MS);
  return () => {
    clearInterval(timer);
    return { longestBlockMs: worst[0]?.blockMs ?? 0, longestTurnCpuMs, turns, worst };
  };
}

/** A window does much of its own in its first seconds, most of all for a git repository. False when it never came to rest. */
async function cameToRest(): Promise<boolean> {
  const start = performance.now();
  for (let quiet = 0; quiet < QUIET_SECONDS;) {
    if (performance.now() - start > REST_WITHIN_MS) return false;
    const stop = watchLoop();
    await sleep(1_000);
    quiet = stop().longestBlockMs < 2 * TICK_MS ? quiet + 1 : 0;
  }
  return true;
}

/** Profiles this process when `TESSERA_BENCH_PROFILE` names a file; the result opens in VS Code. */
function profile(): () => Promise<void> {
  const file = process.env['TESSERA_BENCH_PROFILE'];
  if (file === undefined) return () => Promise.resolve();
  const session = new Session();
  session.connect();
  const started = session
    .post('Profiler.enable')
    .then(() => session.post('Profiler.setSamplingInterval', { interval: 500 }))
    .then(() => session.post('Profiler.start'));
  return async () => {
    await started;
    const { profile: taken } = await session.post('Profiler.stop');
    await writeFile(file, JSON.stringify(taken));
  };
}

async function ask(query: string, limit: number, include: readonly string[] = []): Promise<string> {
  const result = await vscode.lm.invokeTool('tessera_search_code', {
    input: { query, limit, include },
    toolInvocationToken: undefined,
  });
  return result.content.map((part) => (part instanceof vscode.LanguageModelTextPart ? part.value : '')).join('');
}

/** A word nobody has used, all of letters. */
function newWord(): string {
  const letters = Array.from({ length: 14 }, () => String.fromCharCode(97 + Math.floor(Math.random() * 26)));
  return letters.join('');
}

/** Files spread over the whole tree, in the order of their paths. Minified ones and the like are in no index and are left out. */
async function indexedFiles(count: number): Promise<readonly vscode.Uri[]> {
  const found = await vscode.workspace.findFiles('**/*.{js,ts,mjs,py}', null);
  const byPath = found.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const chosen: vscode.Uri[] = [];
  // Each next one is taken the farthest a stride allows, then those between.
  const stride = Math.max(1, Math.floor(byPath.length / count));
  for (let offset = 0; offset < stride && chosen.length < count; offset++) {
    for (let at = offset; at < byPath.length && chosen.length < count; at += stride) {
      const uri = byPath[at];
      if (uri === undefined) continue;
      const path = vscode.workspace.asRelativePath(uri);
      if ((await ask(path, 1, [path])).includes(path)) chosen.push(uri);
    }
  }
  return chosen;
}

async function measureSaves(): Promise<Pick<HostMeasures, 'saveToSearchableMs' | 'neverFound'>> {
  const saveToSearchableMs: number[] = [];
  const neverFound: string[] = [];
  for (const [at, uri] of (await indexedFiles(SAVES)).entries()) {
    const name = newWord();
    const document = await vscode.workspace.openTextDocument(uri);
    const edit = new vscode.WorkspaceEdit();
    edit.insert(uri, document.lineAt(document.lineCount - 1).range.end, `\nfunction ${name}() { return ${at}; }\n`);
    await vscode.workspace.applyEdit(edit);
    const start = performance.now();
    await document.save();
    let isFound = false;
    while (!isFound && performance.now() - start < GIVE_UP_MS) {
      isFound = (await ask(name, 5)).includes(`function ${name}`);
      if (!isFound) await sleep(ASKED_ANEW_MS);
    }
    if (isFound) saveToSearchableMs.push(performance.now() - start);
    else neverFound.push(vscode.workspace.asRelativePath(uri));
  }
  return { saveToSearchableMs, neverFound };
}

const NO_SAVES = { saveToSearchableMs: [], neverFound: [] };

/** Called by VS Code inside the extension host. */
export async function run(): Promise<void> {
  const file = process.env['TESSERA_BENCH_RESULTS'];
  const extension = vscode.extensions.getExtension('tessera.tessera');
  if (file === undefined || extension === undefined) throw new Error('Not started by bench/host.ts.');
  try {
    await extension.activate();
    const isAtRest = await cameToRest();
    const stopIdle = watchLoop();
    await sleep(IDLE_MS);
    const idle = stopIdle();

    const stopProfile = profile();
    const stopBusy = watchLoop();
    const start = performance.now();
    await vscode.commands.executeCommand('tessera.indexNow');
    const indexMs = performance.now() - start;
    const busy = stopBusy();
    await stopProfile();
    const saves = process.env['TESSERA_BENCH_PROFILE'] === undefined ? await measureSaves() : NO_SAVES;
    const measures: HostMeasures = { indexMs, busy, cameToRest: isAtRest, idle, ...saves };
    await writeFile(file, JSON.stringify(measures));
  } catch (error) {
    await writeFile(file, JSON.stringify({ error: String(error) }));
  }
  // VS Code ends the extension host, and Tessera with it, once this resolves: the index is still looked at from outside.
  await new Promise(() => undefined);
}
