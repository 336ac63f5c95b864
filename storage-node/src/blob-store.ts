/**
 * Where an institution keeps its ciphertexts, partial results and ceremony messages. A blob's name is the SHA-256 of
 * its bytes, in lower-case hexadecimal: the name that the ledger records.
 */
export interface BlobStore {
  /**
   * Keeps the bytes. When the promise resolves they survive a power cut, and the array is the caller's to reuse. Putting
   * the same bytes again is harmless.
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

/** A blob that is open for reading in parts; nothing is checked against the name. */
export interface OpenBlob {
  readonly size: number;
  read(position: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/**
 * What a zone needs of its store besides; narrow enough for object storage (put if absent, ranged get, list, delete).
 */
export interface ObjectStore extends BlobStore {
  /**
   * Takes bytes in parts and keeps them only if they have the name that was announced.
   *
   * @throws StorageError `CORRUPT`, `TOO_LARGE`, `HASH_INVALID`, `NO_SPACE`, `IO`; nothing is kept then.
   */
  receive(hash: string, parts: AsyncIterable<Uint8Array>, maximumBytes: number): Promise<number>;

  /** @throws StorageError `NOT_FOUND`, `HASH_INVALID`, `IO`. */
  open(hash: string): Promise<OpenBlob>;

  /** The names of all blobs, in no order. */
  hashes(): AsyncIterable<string>;

  /** Deletes a blob for good; one that is not there is no error. */
  remove(hash: string): Promise<void>;
}
