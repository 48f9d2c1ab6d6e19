/** A process that tells how much memory it had resident at most, and ends. */
import { peakResidentMb } from '../../src/process/memory.ts';

process.send?.(peakResidentMb());
process.disconnect();
