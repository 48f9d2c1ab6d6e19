import { TesseraError, errorMessage, isTesseraError } from '../base/errors.ts';

/**
 * Every sign of memory running out, in one place. ONNX Runtime's JavaScript binding throws plain `Error`s without a
 * code, so that its text is all there is to go by; each pattern names where it was seen or which source throws it.
 */
const EXCEPTION_SIGNS: readonly RegExp[] = [
  // ORT's arena and its CPU allocator: "bfc_arena.cc … Failed to allocate memory for requested buffer of size N".
  /Failed to allocate memory for requested buffer/i,
  /bfc_arena\.cc/i,
  // C++ runtime: `std::bad_alloc`, `std::bad_array_new_length`.
  /bad_alloc|bad_array_new_length/,
  // A session's threads, to whose stacks the system gives nothing: ORT's env.cc, seen under a limit on address space while loading.
  /pthread_create failed, error code: 12\b/,
  // CUDA, cuBLAS and cuDNN: "CUDA failure 2: out of memory", CUBLAS_STATUS_ALLOC_FAILED, CUDNN_STATUS_ALLOC_FAILED.
  /CUDA(?: error| failure)?.{0,40}out of memory|cudaErrorMemoryAllocation|CU(?:BLAS|DNN)_STATUS_ALLOC_FAILED/is,
  // Direct3D 12 under DirectML: E_OUTOFMEMORY, and the device it takes with it.
  /8007000E|E_OUTOFMEMORY|not enough memory resources/i,
  // Dawn under WebGPU.
  /ErrorOutOfDeviceMemory|ErrorOutOfHostMemory|VK_ERROR_OUT_OF_(?:DEVICE|HOST)_MEMORY|GPUOutOfMemoryError|out of memory/i,
  // The same as a run sees it, seen under a limit on address space: the shortage goes to stderr, and whatever takes the buffer fails.
  /\[Invalid Buffer[^\]]*\] is invalid due to a previous error/,
  // A buffer larger than the device's limits allow, by the words of its validation (Buffer.cpp, BindGroup.cpp).
  /exceeds the max buffer size limit|is larger than the maximum (?:\w+ buffer )?binding size/i,
  // The system, to a call for a file or folder: "ENOMEM: not enough memory, scandir …".
  /\bENOMEM\b/,
  // V8, when a typed array cannot be had.
  /Array buffer allocation failed/i,
];

/** Whether an exception means that a smaller run might succeed. */
export function isOutOfMemoryError(error: unknown): boolean {
  const message = errorMessage(error);
  return EXCEPTION_SIGNS.some((sign) => sign.test(message));
}

/** The same error, or, when memory is what it lacked wherever it was thrown, one of code `out-of-memory` with this message. */
export function namingShortage(error: unknown, message: string): unknown {
  if (isTesseraError(error, 'out-of-memory') || !isOutOfMemoryError(error)) return error;
  return new TesseraError('out-of-memory', message, { cause: error });
}

/** How a process ended. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stderrTail: string;
}

/**
 * SIGKILL as the kernel's out-of-memory killer sends it, SIGABRT as an uncaught `bad_alloc` ends, and SIGTRAP as V8 does
 * when it gets no memory: all three seen under a limit on address space.
 */
const FATAL_SIGNALS: readonly string[] = ['SIGKILL', 'SIGABRT', 'SIGTRAP'];
/**
 * The same by way of a shell or a container (128 + 9, 128 + 6, 128 + 5), and Windows' STATUS_NO_MEMORY and STATUS_COMMITMENT_LIMIT.
 * `abort` there, which is where an uncaught `bad_alloc` leads, ends with STATUS_STACK_BUFFER_OVERRUN (the C runtime's `__fastfail`), or
 * with status 3 where error reporting is off.
 */
const FATAL_CODES: readonly number[] = [137, 134, 133, 0xc0000017, 0xc000012d, 0xc0000409, 3];

/** Whether a process probably died of want of memory. Being killed on purpose looks the same, and costs only a smaller budget. */
export function exitLooksLikeOutOfMemory(end: ProcessEnd): boolean {
  if (end.signal !== null && FATAL_SIGNALS.includes(end.signal)) return true;
  if (end.code !== null && FATAL_CODES.includes(end.code)) return true;
  return isOutOfMemoryError(end.stderrTail);
}
