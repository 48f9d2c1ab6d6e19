import { isRecord, numberAt, stringAt } from './jsonFacts.ts';
import type { Pooling } from './pooling.ts';

/** What sentence-transformers' files say of the way from the tokens' vectors to the text's. */
export interface TextVectorRecipe {
  /** Undefined where no file says one that is done here. */
  readonly pooling: Pooling | undefined;
  /**
   * What they ask for and is not done here, as the end of "the model …" and with the file's name; null when it is all done here.
   * Only a graph that gives texts' vectors itself can be used then.
   */
  readonly beyondPooling: string | null;
}

const POOLING_FOLDER = '1_Pooling';
/** sentence-transformers' names without their ending `_tokens`; both means have the same direction. */
const MODES: Readonly<Record<string, Pooling>> = {
  mean: 'mean',
  mean_sqrt_len: 'mean',
  cls: 'cls',
  lasttoken: 'lastToken',
};
/** Older versions write a truth value for each mode under a key that begins so. */
const MODE_KEY = 'pooling_mode_';
/** Modules behind the first, the graph's own, that change no direction or are the pooling itself. */
const DONE_HERE = ['Pooling', 'Normalize', 'Dropout'];

/**
 * @param pooling Parsed file that `poolingFile` names.
 * @param modules Parsed `modules.json`.
 * @param hasPrompts Whether anything is put before texts.
 */
export function readRecipe(pooling: unknown, modules: unknown, hasPrompts: boolean): TextVectorRecipe {
  const [, ...further] = moduleTypes(modules);
  const unknownModule = further.find((type) => !DONE_HERE.includes(type));
  if (unknownModule !== undefined) {
    return { pooling: undefined, beyondPooling: `has a module ${unknownModule} (modules.json)` };
  }
  if (!isRecord(pooling)) return { pooling: undefined, beyondPooling: null };
  const modes = poolingModes(pooling);
  const [mode = 'mean'] = modes;
  const file = poolingFile(modules);
  if (modes.length > 1) {
    return { pooling: undefined, beyondPooling: `joins the poolings ${modes.join(' and ')} (${file})` };
  }
  const known = MODES[mode];
  if (known === undefined) return { pooling: undefined, beyondPooling: `pools by ${mode} (${file})` };
  // One token's vector is the same whatever else is left out.
  if (known === 'mean' && hasPrompts && pooling['include_prompt'] === false)
    return { pooling: undefined, beyondPooling: `leaves its prompts out of the mean (${file})` };
  return { pooling: known, beyondPooling: null };
}

/** Whether texts lose the blanks around them: sentence-transformers' module Transformer does so before it tokenises (its `tokenize`). */
export function stripsTexts(modules: unknown): boolean {
  return moduleTypes(modules)[0] === 'Transformer';
}

/** The file of the Pooling module of `modules.json`, relative to the model's folder; the customary one where there is none. */
export function poolingFile(modules: unknown): string {
  return `${folderOf(modules, 'Pooling') ?? POOLING_FOLDER}/config.json`;
}

/** A multi-vector model's last layer: what it is told by, and how many numbers a token's vector has behind it. */
export interface Projection {
  readonly file: string;
  readonly width: number;
}

/** The file of the last Dense module of `modules.json`, relative to the model's folder; undefined where there is none. */
export function projectionFile(modules: unknown): string | undefined {
  const folder = folderOf(modules, 'Dense');
  return folder === undefined ? undefined : `${folder}/config.json`;
}

/** @param dense Parsed file that `projectionFile` names. */
export function readProjection(modules: unknown, dense: unknown): Projection | null {
  const file = projectionFile(modules);
  const width = numberAt(dense, 'out_features');
  return file === undefined || width === undefined ? null : { file, width };
}

/** Of the last module of a class. */
function folderOf(modules: unknown, type: string): string | undefined {
  const list: readonly unknown[] = Array.isArray(modules) ? modules : [];
  return stringAt(list[moduleTypes(modules).lastIndexOf(type)], 'path');
}

/** Class names in their order: `Dense` of `sentence_transformers.models.Dense`. */
function moduleTypes(modules: unknown): readonly string[] {
  if (!Array.isArray(modules)) return [];
  return modules.map((module: unknown) => stringAt(module, 'type')?.split('.').at(-1) ?? '');
}

/** Names of the modes that are on; newer versions write a name or a list of them. */
function poolingModes(file: Readonly<Record<string, unknown>>): readonly string[] {
  const named = file['pooling_mode'];
  const names = Array.isArray(named) ? named.map(String) : typeof named === 'string' ? [named] : undefined;
  const on = Object.keys(file).filter((key) => key.startsWith(MODE_KEY) && file[key] === true);
  return (names ?? on.map((key) => key.slice(MODE_KEY.length))).map((name) => name.replace(/_tokens?$/, ''));
}
