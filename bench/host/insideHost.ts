import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import * as vscode from 'vscode';

/** What is measured inside the extension host. Milliseconds. */
export interface HostMeasures {
  /** `activate()` with loading the bundle. */
  readonly activationMs: number;
  readonly firstIndexMs: number;
  /** While the folder was indexed for the first time. */
  readonly busy: LoopMeasures;
  /** As long, with nothing to do: what the machine and VS Code's own extensions cause. */
  readonly idle: LoopMeasures;
  /** From the call of `save` to the first answer with the new text. */
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
}

const TICK_MS = 5;
const SAVES = 100;
const GIVE_UP_MS = 30_000;

/** Watches every turn of the event loop until it is stopped. */
function watchLoop(): () => LoopMeasures {
  let last = performance.now();
  let lastCpu = process.threadCpuUsage();
  const measures = { longestBlockMs: 0, longestTurnCpuMs: 0, turns: 0 };
  const timer = setInterval(() => {
    const now = performance.now();
    const used = process.threadCpuUsage(lastCpu);
    measures.longestBlockMs = Math.max(measures.longestBlockMs, now - last - TICK_MS);
    measures.longestTurnCpuMs = Math.max(measures.longestTurnCpuMs, (used.user + used.system) / 1_000);
    measures.turns += 1;
    last = now;
    lastCpu = process.threadCpuUsage();
  }, TICK_MS);
  return () => {
    clearInterval(timer);
    return measures;
  };
}

async function ask(query: string, limit: number): Promise<string> {
  const result = await vscode.lm.invokeTool('tessera_search_code', {
    input: { query, limit },
    toolInvocationToken: undefined,
  });
  return result.content.map((part) => (part instanceof vscode.LanguageModelTextPart ? part.value : '')).join('');
}

async function untilIndexed(): Promise<void> {
  while ((await ask('anything', 1)).includes('indexing is not finished')) await sleep(500);
}

/** A word nobody has used, all of letters. */
function newWord(): string {
  const letters = Array.from({ length: 14 }, () => String.fromCharCode(97 + Math.floor(Math.random() * 26)));
  return letters.join('');
}

async function measureSaves(): Promise<Pick<HostMeasures, 'saveToSearchableMs' | 'neverFound'>> {
  const found = await vscode.workspace.findFiles('**/*.{js,ts,mjs,py}', null, SAVES);
  const saveToSearchableMs: number[] = [];
  const neverFound: string[] = [];
  for (const [at, uri] of found.slice(0, SAVES).entries()) {
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
      if (!isFound) await sleep(10);
    }
    if (isFound) saveToSearchableMs.push(performance.now() - start);
    else neverFound.push(vscode.workspace.asRelativePath(uri));
  }
  return { saveToSearchableMs, neverFound };
}

/** Called by VS Code inside the extension host. */
export async function run(): Promise<void> {
  const file = process.env['TESSERA_BENCH_RESULTS'];
  const extension = vscode.extensions.getExtension('tessera.tessera');
  if (file === undefined || extension === undefined) throw new Error('Not started by bench/host.ts.');
  try {
    const start = performance.now();
    await extension.activate();
    const activationMs = performance.now() - start;
    const stopBusy = watchLoop();
    await untilIndexed();
    const firstIndexMs = performance.now() - start;
    const busy = stopBusy();
    const stopIdle = watchLoop();
    await sleep(Math.min(20_000, firstIndexMs));
    const idle = stopIdle();
    const measures: HostMeasures = { activationMs, firstIndexMs, busy, idle, ...(await measureSaves()) };
    await writeFile(file, JSON.stringify(measures));
  } catch (error) {
    await writeFile(file, JSON.stringify({ error: String(error) }));
  }
}
