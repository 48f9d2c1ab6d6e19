import { errorMessage } from '../base/errors.ts';

/**
 * Where in ONNX Runtime's sources something went wrong: `ORT_THROW` and `ORT_ENFORCE` put it first, with the function and its
 * arguments, a returned status with the function's name alone (its common.h).
 */
const PLACE =
  /\S+\.(?:cc|cpp|h|mm):\d+ (?:[^()\n]*::[^()\n]*\((?:[^()]|\([^()]*\))*\)(?:::<lambda\([^)]*\)>)?(?: const)?(?: \[with [^\]\n]*\])?|\w+) /g;
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
