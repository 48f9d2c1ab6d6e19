import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

interface ListedProcess {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

async function listProcesses(): Promise<readonly ListedProcess[]> {
  const { stdout } = await run('ps', ['-A', '-o', 'pid=,ppid=,args='], { maxBuffer: 1 << 26 });
  return stdout.split('\n').flatMap((line) => {
    const parts = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line);
    return parts === null ? [] : [{ pid: Number(parts[1]), parent: Number(parts[2]), command: parts[3] ?? '' }];
  });
}

/** The index server this extension host has started; undefined while there is none. */
export async function serverProcess(): Promise<number | undefined> {
  return childRunning(process.pid, /dist[/\\]server\.js/);
}

/** The embedder the index server has started. */
export async function embedderProcess(): Promise<number | undefined> {
  const server = await serverProcess();
  return server === undefined ? undefined : childRunning(server, /dist[/\\]embedder\.js/);
}

async function childRunning(parent: number, command: RegExp): Promise<number | undefined> {
  const processes = await listProcesses();
  return processes.find((candidate) => candidate.parent === parent && command.test(candidate.command))?.pid;
}
