import picomatch from 'picomatch';

/** What keeps a glob from being one, as a clause for a person; undefined when nothing does. */
export function globProblem(glob: string): string | undefined {
  if (glob.trim() === '') return 'it is empty';
  try {
    picomatch.makeRe(glob, { strictBrackets: true });
    return undefined;
  } catch {
    return 'its brackets do not match; put a \\ before one that is meant as it stands';
  }
}
