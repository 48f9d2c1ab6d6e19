import { readFileSync } from 'node:fs';
import type { ExecutionProvider } from '../protocol/embedder.ts';

/** What tells which whole-number graphs a processor runs well. */
export interface ProcessorFacts {
  /** As Node names it: `x64`, `arm64`. */
  readonly architecture: string;
  /** Names of instruction sets as Linux writes them; empty where the system does not tell. */
  readonly flags: ReadonlySet<string>;
}

/**
 * Graphs by their file's name without `.onnx`, best first for a device; those of other names are taken only when the manifest
 * names them or nothing else is there.
 *
 * int8 runs at about twice fp32's speed on processors with VNNI, and fp16 is computed as fp32 with conversions. Not measured on
 * each machine: its vectors differ, and an index would be built anew whenever the measurement came out otherwise.
 */
export function preferredGraphs(device: ExecutionProvider, processor: ProcessorFacts): readonly string[] {
  if (device !== 'cpu') return ['model_fp16', 'model', 'model_quantized', 'model_int8'];
  return ['model_quantized', 'model_int8', ...madeFor(processor), 'model', 'model_fp16'];
}

/**
 * sentence-transformers' quantised exports, which name the processor they are for. On x64 they are taken with VNNI only: without it their speed
 * was not measured, and products with signed weights are added up in 16 bits, which overflow.
 */
function madeFor({ architecture, flags }: ProcessorFacts): readonly string[] {
  if (architecture === 'arm64') return ['model_qint8_arm64'];
  if (architecture !== 'x64') return [];
  const hasVnni = flags.has('avx512_vnni') || flags.has('avx_vnni');
  return hasVnni ? ['model_qint8_avx512_vnni', 'model_qint8_avx512', 'model_quint8_avx2'] : [];
}

let facts: ProcessorFacts | undefined;

/** The processor of this machine: the same at each start, since the graph chosen is part of an index's identity. */
export function thisProcessor(): ProcessorFacts {
  facts ??= { architecture: process.arch, flags: readFlags() };
  return facts;
}

/** Only Linux tells, and only x64 has what is asked for. */
function readFlags(): ReadonlySet<string> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return new Set();
  try {
    const [, flags = ''] = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8')) ?? [];
    return new Set(flags.trim().split(/\s+/));
  } catch {
    // A sandbox may hide the file; any graph does there but those for some processors.
    return new Set();
  }
}
