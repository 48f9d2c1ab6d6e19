import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';

const ASK_WITHIN_MS = 10_000;
/** Of Linux' clock as programs see it, on every architecture. */
const TICKS_PER_SECOND = 100;

/**
 * What tells two processes of one pid apart without asking another program: the start time in clock ticks since boot (field 22 of
 * `/proc/PID/stat`), `dead` for a zombie, empty where there is no `/proc` or no such process.
 */
export function startTicksOf(pid: number): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the command in parentheses and may hold spaces and parentheses itself.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    // A zombie holds nothing any more.
    return fields[0] === 'Z' ? 'dead' : (fields[19] ?? '');
  } catch {
    return '';
  }
}

/** When a living process started, in milliseconds since the epoch, whole seconds; undefined where the system does not tell. */
export async function startTimeOf(pid: number): Promise<number | undefined> {
  const ticks = Number(startTicksOf(pid) || Number.NaN);
  if (!Number.isNaN(ticks)) return (bootTimeSeconds() + Math.floor(ticks / TICKS_PER_SECOND)) * 1_000;
  const [program, ...args] =
    process.platform === 'win32'
      ? [
          'powershell.exe',
          '-NoProfile',
          '-Command',
          `(Get-Process -Id ${pid}).StartTime.ToUniversalTime().ToString('o')`,
        ]
      : ['ps', '-o', 'lstart=', '-p', String(pid)];
  try {
    const options = { env: { ...process.env, LC_ALL: 'C' }, timeout: ASK_WITHIN_MS, windowsHide: true };
    const { stdout } = await promisify(execFile)(program, args, options);
    const time = Date.parse(stdout.trim());
    return Number.isNaN(time) ? undefined : time;
  } catch {
    // No such program, or no such process any more: nothing is known, and the caller decides by other signs.
    return undefined;
  }
}

/** Since the epoch. */
function bootTimeSeconds(): number {
  return Number(/^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'latin1'))?.[1]);
}
