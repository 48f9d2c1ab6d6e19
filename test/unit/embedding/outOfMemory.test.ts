import { describe, expect, it } from 'vitest';
import { TesseraError } from '../../../src/base/errors.ts';
import { exitLooksLikeOutOfMemory, isOutOfMemoryError, namingShortage } from '../../../src/embedding/outOfMemory.ts';

describe('an exception', () => {
  it.each([
    // As thrown by ONNX Runtime 1.30 under a limit on address space.
    "Non-zero status code returned while running MatMul node. Name:'MatMul_12' Status Message: /onnxruntime_src/onnxruntime/core/framework/bfc_arena.cc:376 void* onnxruntime::BFCArena::AllocateRawInternal(size_t, bool, onnxruntime::Stream*) Failed to allocate memory for requested buffer of size 1610612736",
    '/onnxruntime_src/onnxruntime/core/platform/posix/env.cc:251 onnxruntime::{anonymous}::PosixThread::PosixThread(const char*, int, unsigned int (*)(int, Eigen::ThreadPoolInterface*), Eigen::ThreadPoolInterface*, const onnxruntime::ThreadOptions&) pthread_create failed, error code: 12 error msg: Cannot allocate memory',
    'std::bad_alloc',
    'CUDA error cudaErrorMemoryAllocation:out of memory',
    'CUDA failure 2: out of memory ; GPU=0 ; hostname=h ; expr=cudaMalloc((void**)&p, size);',
    'CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED ; GPU=0',
    'Non-zero status code returned while running DmlFusedNode. Exception(3) tid(1) 8007000E Not enough memory resources are available to complete this operation.',
    'vkAllocateMemory failed with VK_ERROR_OUT_OF_DEVICE_MEMORY',
    // As a run on WebGPU fails when its driver had no memory for a buffer (SwiftShader under a limit on address space).
    'WebGPU validation failed. [Invalid Buffer (unlabeled)] is invalid due to a previous error.\n - While validating entries[2] against { binding: 2, visibility: ShaderStage::Compute }.',
    // As Dawn says it of a buffer that a smaller run would not need.
    'Buffer size (870585948) exceeds the max buffer size limit (536870912). - While calling [Device].CreateBuffer([BufferDescriptor]).',
    'Binding size (146847752) of [Buffer "hair"] is larger than the maximum binding size (134217728).',
    'Binding size (805306368) of [Buffer] is larger than the maximum storage buffer binding size (134217728).',
    'Array buffer allocation failed',
    "ENOMEM: not enough memory, scandir '/models/onnx'",
  ])('that says “%s” means that a smaller run might do', (message) => {
    expect(isOutOfMemoryError(new Error(message))).toBe(true);
  });

  it.each([
    "Non-zero status code returned while running Gather node. Name:'/embeddings/Gather' Status Message: indices element out of data bounds, idx=40000 must be within the inclusive range [-30522,30521]",
    'Got invalid dimensions for input: input_ids for the following indices',
    'This is an invalid model. Error: the graph is not acyclic.',
  ])('that says “%s” does not', (message) => {
    expect(isOutOfMemoryError(new Error(message))).toBe(false);
  });
});

describe('an error while models are loaded', () => {
  it('is named a shortage when memory was what it lacked, wherever that was noticed', () => {
    const noticed = new TesseraError('model-invalid', 'The model’s x.onnx cannot be run on cpu (std::bad_alloc).');
    expect(namingShortage(noticed, 'Too little.')).toMatchObject({ code: 'out-of-memory', message: 'Too little.' });
    const invalid = new TesseraError('model-invalid', 'The model’s x.onnx cannot be run on cpu (a cycle).');
    expect(namingShortage(invalid, 'Too little.')).toBe(invalid);
    const named = new TesseraError('out-of-memory', 'There was not enough memory to load x.onnx.');
    expect(namingShortage(named, 'Too little.')).toBe(named);
  });
});

describe('the end of a process', () => {
  const end = { code: null, signal: null, stderrTail: '' };

  it.each([
    ['SIGKILL, as the kernel’s killer sends it', { ...end, signal: 'SIGKILL' }],
    ['SIGABRT, as an uncaught bad_alloc ends', { ...end, signal: 'SIGABRT' }],
    ['SIGTRAP, as V8 without memory ends', { ...end, signal: 'SIGTRAP' }],
    ['status 137 of a container', { ...end, code: 137 }],
    ['status 134 of a container', { ...end, code: 134 }],
    ['Windows’ STATUS_NO_MEMORY', { ...end, code: 0xc0000017 }],
    ['abort() on Windows, as an uncaught bad_alloc ends', { ...end, code: 0xc0000409 }],
    ['abort() on Windows without error reporting', { ...end, code: 3 }],
    [
      'a last word about memory',
      { ...end, code: 1, stderrTail: "terminate called after throwing an instance of 'std::bad_alloc'" },
    ],
  ])('by %s is put down to memory', (_, how) => {
    expect(exitLooksLikeOutOfMemory(how)).toBe(true);
  });

  it.each([
    ['a crash', { ...end, signal: 'SIGSEGV' }],
    ['an ordinary failure', { ...end, code: 1, stderrTail: 'TypeError: x is not a function' }],
    ['leaving', { ...end, code: 0 }],
  ])('by %s is not', (_, how) => {
    expect(exitLooksLikeOutOfMemory(how)).toBe(false);
  });
});
