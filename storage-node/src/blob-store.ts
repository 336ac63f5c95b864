/**
 * Where an institution keeps its ciphertexts, partial results and ceremony messages. A blob's name is the SHA-256 of
 * its bytes, in lower-case hexadecimal: the name that the ledger records.
 */
export interface BlobStore {
  /**
   * Keeps the bytes. When the promise resolves they survive a power cut. Putting the same bytes again is harmless.
   *
   * @returns the SHA-256 of `bytes`, in hexadecimal.
   * @throws StorageError `NO_SPACE`, `IO`.
   */
  put(bytes: Uint8Array): Promise<string>;

  /**
   * Reads the bytes and checks them against their name.
   *
   * @throws StorageError `NOT_FOUND`, `CORRUPT`, `HASH_INVALID`, `IO`.
   */
  get(hash: string): Promise<Uint8Array>;

  /** Says whether a blob of that name is there; does not read it. */
  has(hash: string): Promise<boolean>;
}
