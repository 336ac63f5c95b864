/** Transient blobs: counted, matched with the hash that the ledger holds, and read, before anything is computed. */
import {
  blobHash,
  type CiphertextForm,
  decodeBlob,
  FheError,
  type ParameterSet,
  readCiphertextForm,
} from '@strokeshare/fhe';
import { ContractError } from '../errors.js';
import { type Transaction } from '../ledger/transaction.js';
import { MAXIMUM_TRANSIENT_BYTES } from './limits.js';

/** What every blob of a job must say of itself. */
export interface BlobPlace {
  readonly set: ParameterSet;
  readonly epochId: string;
}

/** @throws ContractError TOO_MUCH_WORK */
export function assertTransientSize({ transient }: Transaction): void {
  const bytes = [...transient.values()].reduce((sum, value) => sum + value.length, 0);
  if (bytes > MAXIMUM_TRANSIENT_BYTES)
    throw new ContractError(
      'TOO_MUCH_WORK',
      `The transient data has ${bytes} bytes; at most ${MAXIMUM_TRANSIENT_BYTES} are allowed.`,
    );
}

/**
 * A blob of the transient data.
 * @param hash what the ledger says of it
 * @throws ContractError BLOB_MISSING, HASH_MISMATCH
 */
export function transientBlob({ transient }: Transaction, name: string, hash: string): Uint8Array {
  const value = transient.get(name);
  if (!value) throw new ContractError('BLOB_MISSING', `The transient data lacks "${name}".`);
  // The shim gives a Buffer over a shared pool; SEAL and worker threads want plain bytes of their own.
  const blob = new Uint8Array(value);
  if (blobHash(blob) !== hash)
    throw new ContractError('HASH_MISMATCH', `The blob "${name}" is not the one with the hash ${hash}.`);
  return blob;
}

/**
 * The body of a ciphertext blob at a release level.
 * @param read what is looked at: the words, too, with `parseCiphertext`; whatever computes with them does that itself
 * @throws ContractError BAD_BLOB unless it has two polynomials and so many primes
 */
export function releaseCiphertext(
  blob: Uint8Array,
  name: string,
  { set, epochId }: BlobPlace,
  primes: number,
  read: (body: Uint8Array, set: ParameterSet) => CiphertextForm = readCiphertextForm,
): Uint8Array {
  const body = readBlob(name, () =>
    decodeBlob(blob, { kind: 'ciphertext', parameterSetId: set.id, epochId }),
  );
  const parsed = readBlob(name, () => read(body, set));
  if (parsed.size !== 2 || parsed.primes !== primes)
    throw new ContractError(
      'BAD_BLOB',
      `The blob "${name}" has size ${parsed.size} and ${parsed.primes} primes; its cell needs 2 and ${primes}.`,
    );
  return body;
}

function readBlob<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const reason = cause instanceof FheError ? cause.message : 'it cannot be read.';
    throw new ContractError('BAD_BLOB', `The blob "${name}": ${reason}`, { cause });
  }
}
