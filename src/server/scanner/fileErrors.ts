/** The `code` of a system error (`ENOENT`), or '' for anything else. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** Why a file can't be read, as a clause for a person. */
export function describeFileError(error: unknown): string {
  const code = errorCode(error);
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'EBUSY':
      return 'in use by another program';
    case 'ENAMETOOLONG':
      return 'its path is too long';
    case 'EIO':
      return 'the disk reports an error';
    default:
      return code === '' ? 'cannot be read' : `cannot be read (${code})`;
  }
}

/** Nothing is there, or what should be a folder on the way is none. */
export function isMissing(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}
