import { fork } from 'node:child_process';
import { once } from 'node:events';

/**
 * Runs a program of this folder in a process of its own and gives the number it sends. Throws when it ends without one, with what it
 * complained of.
 */
export async function measureInOwnProcess(file: string, options: Readonly<Record<string, string>>): Promise<number> {
  const answer = await askOwnProcess(file, options);
  if (typeof answer === 'number') return answer;
  throw new Error(`${Object.values(options).join(' ')} was not measured: its process sent no number.`);
}

/** The same for anything JSON can carry. */
export async function askOwnProcess(file: string, options: Readonly<Record<string, string>>): Promise<unknown> {
  const child = fork(
    file,
    Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]),
    { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] },
  );
  let complaints = '';
  child.stderr?.on('data', (data: Buffer) => (complaints += data.toString()));
  const answers: unknown[] = [];
  child.on('message', (message: unknown) => answers.push(message));
  await once(child, 'close');
  if (answers.length > 0) return answers[0];
  throw new Error(`${Object.values(options).join(' ')} was not measured: its process ended. ${complaints.trim()}`);
}

/** Answers whoever started this process with one of the above. */
export function answerParent(value: number | readonly number[]): void {
  if (process.send === undefined) throw new Error('Only a process started for it answers.');
  process.send(value);
  process.disconnect();
}
