/** What went wrong in the store; stable names that programs may rely on. */
export type StorageErrorCode =
  /** No blob of that hash is in the store. */
  | 'NOT_FOUND'
  /** The file of that hash holds other bytes. */
  | 'CORRUPT'
  /** The file system has no room (or no quota) left. */
  | 'NO_SPACE'
  /** The text is not 64 lower-case hexadecimal digits. */
  | 'HASH_INVALID'
  /** The operating system refused for another reason; see `cause`. */
  | 'IO';

/** Every error that this package throws: a stable code, one sentence, and the cause where there is one. */
export class StorageError extends Error {
  override readonly name = 'StorageError';

  constructor(
    readonly code: StorageErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Wraps an error of `node:fs`, keeping what it means for the caller. */
export function fromSystem(error: unknown, doing: string): StorageError {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new StorageError('NO_SPACE', `No space is left for ${doing}.`, { cause: error });
  }
  return new StorageError('IO', `The file system failed at ${doing} (${code ?? String(error)}).`, {
    cause: error,
  });
}
