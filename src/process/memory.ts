import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';

const BYTES_PER_MB = 1 << 20;
/** Share of the machine's memory the embedder may hold when nobody says otherwise. */
const DEFAULT_SHARE = 0.25;

/** Resident memory of this process, in MiB. */
export function residentMb(): number {
  return process.memoryUsage.rss() / BYTES_PER_MB;
}

/** The most this process has ever had resident, in MiB. */
export function peakResidentMb(): number {
  // What `getrusage` gives on Linux begins with the resident memory of the process that started this one.
  const kibibytes = process.platform === 'linux' ? peakOfStatus() : undefined;
  // Kibibytes on every platform: libuv sees to that.
  return (kibibytes ?? process.resourceUsage().maxRSS) / 1024;
}

/** `VmHWM` (proc_pid_status(5)), in KiB; undefined where there is no such file, as in some sandboxes. */
function peakOfStatus(): number | undefined {
  try {
    const found = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    return found === undefined ? undefined : Number(found);
  } catch {
    return undefined;
  }
}

/**
 * Upper limit for the resident memory of one of several processes, in MiB. Together they may have what is set, or a share
 * of the machine's or its container's.
 */
export function resolveMemoryCeilingMb(settingMb: number, processes: number): number {
  if (settingMb > 0) return Math.floor(settingMb / processes);
  const constrained = process.constrainedMemory();
  const total = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
  return Math.floor((total * DEFAULT_SHARE) / BYTES_PER_MB / processes);
}
