import { errorMessage } from '../base/errors.ts';

/** Where in ONNX Runtime's sources something was thrown, with the function and its arguments: `ORT_THROW` and `ORT_ENFORCE` put it first (its common.h). */
const PLACE =
  /\S+\.(?:cc|cpp|h|mm):\d+ [^()\n]*\((?:[^()]|\([^()]*\))*\)(?:::<lambda\([^)]*\)>)?(?: const)?(?: \[with [^\]\n]*\])? /g;
/** What `ORT_ENFORCE` found not to be so, in C++. */
const CONDITION = /^[^\n]*? was false\. /;

/** Where Dawn was when it found an error: a line for each call it was in. */
const CONTEXT = /\n - While [\s\S]*$/;

/** What the runtime says of an error, without what is meant for those who build it. */
export function runtimeMessage(error: unknown): string {
  const whole = errorMessage(error).trim();
  const told = whole.replace(PLACE, '').replace(CONDITION, '').replace(CONTEXT, '').trim();
  return told === '' ? whole : told;
}
