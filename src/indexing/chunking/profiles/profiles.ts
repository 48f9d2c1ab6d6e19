import type { LanguageProfile } from '../profile.ts';
import { c, cpp, csharp, java } from './cFamily.ts';
import { elixir, haskell, ocaml } from './functional.ts';
import { javascript, typescript } from './javascript.ts';
import { dart, kotlin, scala } from './jvm.ts';
import { bash, lua, php, powershell, python, ruby } from './scripting.ts';
import { go, rust, solidity, swift, zig } from './systems.ts';

/** Language id → how its grammar writes definitions; one for each of `GRAMMARS`. */
export const PROFILES: Readonly<Record<string, LanguageProfile>> = {
  typescript,
  typescriptreact: typescript,
  javascript,
  javascriptreact: javascript,
  python,
  go,
  rust,
  java,
  c,
  cpp,
  'cuda-cpp': cpp,
  csharp,
  ruby,
  php,
  kotlin,
  swift,
  scala,
  lua,
  shellscript: bash,
  powershell,
  elixir,
  zig,
  haskell,
  ocaml,
  dart,
  solidity,
};
