import { expect, it } from 'vitest';
import { runtimeMessage } from '../../../src/embedder/runtimeMessage.ts';

it.each([
  // As ONNX Runtime 1.30 throws them.
  [
    '/onnxruntime_src/onnxruntime/core/providers/webgpu/webgpu_context.cc:136 onnxruntime::webgpu::WebGpuContext::Initialize(const onnxruntime::webgpu::WebGpuContextConfig&)::<lambda()> adapter_result.status == wgpu::RequestAdapterStatus::Success was false. Failed to get a WebGPU adapter: No supported adapters\n',
    'Failed to get a WebGPU adapter: No supported adapters',
  ],
  [
    "Non-zero status code returned while running MatMul node. Name:'m' Status Message: /onnxruntime_src/onnxruntime/core/framework/bfc_arena.cc:376 void* onnxruntime::BFCArena::AllocateRawInternal(size_t, bool, onnxruntime::Stream*) Failed to allocate memory for requested buffer of size 88\n",
    "Non-zero status code returned while running MatMul node. Name:'m' Status Message: Failed to allocate memory for requested buffer of size 88",
  ],
  [
    'D:\\a\\_work\\1\\s\\onnxruntime\\core\\providers\\dml\\x.cpp:12 onnxruntime::Dml::Open(int (*)(void), bool) const 8007000E Not enough memory resources',
    '8007000E Not enough memory resources',
  ],
  [
    'WebGPU validation failed. [Invalid Buffer (unlabeled)] is invalid due to a previous error.\n - While validating entries[2] against { binding: 2 }.\n - While calling [Device].CreateBindGroup([BindGroupDescriptor ""Div""]).',
    'WebGPU validation failed. [Invalid Buffer (unlabeled)] is invalid due to a previous error.',
  ],
  [
    "Non-zero status code returned while running Cast node. Name:'n' Status Message: shader_helper.cc:416 GenerateSourceCode Program Cast requires f16 but the device does not support it.",
    "Non-zero status code returned while running Cast node. Name:'n' Status Message: Program Cast requires f16 but the device does not support it.",
  ],
  ['/o/x.cc:12 bool onnxruntime::Has(int) There is none (of 2).', 'There is none (of 2).'],
  ['Load model from m.onnx failed:Protobuf parsing failed.', 'Load model from m.onnx failed:Protobuf parsing failed.'],
  ['/a/b.cc:7 f() ', '/a/b.cc:7 f()'],
])('the runtime’s words are told without the place in its sources: %#', (said, told) => {
  expect(runtimeMessage(new Error(said))).toBe(told);
});
