/** What went wrong in the storage node; stable names that programs may rely on. */
export type StorageErrorCode =
  /** No blob of that hash is there, or the caller has no grant for it: the two cannot be told apart. */
  | 'NOT_FOUND'
  /** Bytes are not the ones that their name or their seal says. */
  | 'CORRUPT'
  /** The file system has no room (or no quota) left. */
  | 'NO_SPACE'
  /** The text is not 64 lower-case hexadecimal digits. */
  | 'HASH_INVALID'
  /** More bytes than the node takes. */
  | 'TOO_LARGE'
  /** The operating system refused for another reason; see `cause`. */
  | 'IO'
  /** Blobs lie where earlier versions kept them, and are not read there. */
  | 'STORE_OUTDATED'
  /** The journal is not the chain that was written: start again only after `storage verify`. */
  | 'JOURNAL_DAMAGED'
  /** A key-encryption key is missing, or does not open what it should. */
  | 'KEY_INVALID'
  /** The zone's configuration cannot be used. */
  | 'CONFIG_INVALID'
  /** The request is not one that the zone knows. */
  | 'REQUEST_INVALID'
  /** The caller is not who may do this. */
  | 'REFUSED'
  /** The object may not be deleted: its retention runs, or it is on legal hold. */
  | 'RETAINED'
  /** The other zone, or the ledger, cannot be reached. */
  | 'UNAVAILABLE';

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

/** Whether an error of `node:fs` says that there is no such file. */
export function isAbsent(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
