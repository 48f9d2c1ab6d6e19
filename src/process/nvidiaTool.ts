import { execFile } from 'node:child_process';

/** A program and its arguments. */
export type Command = readonly [program: string, ...args: readonly string[]];

/** Asked once, before work is shared out: where no driver is kept loaded, a machine with several GPUs takes seconds for an answer. */
const COUNT_TIMEOUT_MS = 20_000;

/** What a program prints; undefined when it can't be started, fails or takes longer than `timeoutMs`. */
export function outputOf([program, ...args]: Command, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(program, [...args], { timeout: timeoutMs, killSignal: 'SIGKILL', windowsHide: true }, (error, stdout) =>
      resolve(error === null ? stdout : undefined),
    );
  });
}

/** What NVIDIA's driver knows of a GPU, by the number the runtime gives it: that among those this process may see. */
export function nvidiaCommand(query: string, deviceId: number | null = 0): Command {
  const format = [`--query-gpu=${query}`, '--format=csv,noheader,nounits'];
  if (deviceId === null) return ['nvidia-smi', ...format];
  return ['nvidia-smi', `--id=${visibleGpus()?.[deviceId] ?? deviceId}`, ...format];
}

/** How many NVIDIA GPUs this process may use; 0 where the driver's tool is missing or silent. */
export async function countNvidiaGpus(command: Command = nvidiaCommand('index', null)): Promise<number> {
  const output = (await outputOf(command, COUNT_TIMEOUT_MS)) ?? '';
  const all = output.split('\n').filter((line) => /^\d+$/.test(line.trim())).length;
  return Math.min(all, visibleGpus()?.length ?? all);
}

/** Those `CUDA_VISIBLE_DEVICES` leaves; undefined when it says nothing. */
function visibleGpus(): readonly string[] | undefined {
  const visible = process.env['CUDA_VISIBLE_DEVICES']?.trim() ?? '';
  return visible === '' ? undefined : visible.split(',').map((id) => id.trim());
}
