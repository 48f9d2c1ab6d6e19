import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { writeCharacterModel } from '../../fakes/characterModel.ts';

export const CLI = path.join(import.meta.dirname, '../../../src/cli/main.ts');

export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command under way. */
export interface Running {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  /** Resolves when stderr has said it. */
  readonly says: (text: string) => Promise<void>;
}

/** The command line in processes of its own, over a temporary folder with a small model. */
export class CliPlace {
  readonly root: string;

  private constructor(root: string) {
    this.root = root;
  }

  static async create(files: Readonly<Record<string, string>>): Promise<CliPlace> {
    const place = new CliPlace(await mkdtemp(path.join(os.tmpdir(), 'tessera-cli-')));
    await writeCharacterModel(place.model);
    await mkdir(place.folder);
    for (const [name, text] of Object.entries(files)) await place.write(name, text);
    return place;
  }

  get folder(): string {
    return path.join(this.root, 'work');
  }

  get model(): string {
    return path.join(this.root, 'model');
  }

  get indexDir(): string {
    return path.join(this.root, 'index');
  }

  async write(name: string, text: string): Promise<void> {
    const file = path.join(this.folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
    const time = Date.now() / 1_000 - 60.5;
    await utimes(file, time, time);
  }

  start(...args: string[]): Running {
    return this.startIn(this.folder, ...args);
  }

  startIn(cwd: string, ...args: string[]): Running {
    // Before the command's own, so that those win.
    const all = [CLI, '--index-dir', this.indexDir, '--model', this.model, ...args];
    const child = spawn(process.execPath, all, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const finished = once(child, 'close').then(([status]) => ({ status: status as number | null, stdout, stderr }));
    const says = async (text: string) => {
      while (!stderr.includes(text)) await Promise.race([once(child.stderr, 'data'), finished.then(failed(text))]);
    };
    return { child, finished, says };
  }

  run(...args: string[]): Promise<Finished> {
    return this.start(...args).finished;
  }

  async json<T>(...args: string[]): Promise<T> {
    const { status, stdout, stderr } = await this.run(...args, '--json');
    if (status !== 0) throw new Error(stderr);
    return JSON.parse(stdout) as T;
  }

  dispose(): Promise<void> {
    return rm(this.root, { recursive: true, force: true, maxRetries: 3 });
  }
}

function failed(text: string) {
  return (end: Finished) => {
    throw new Error(`It ended without saying ${text}: ${end.stderr}`);
  };
}
