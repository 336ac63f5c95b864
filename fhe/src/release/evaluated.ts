/**
 * A holder shares nothing but what it evaluated itself: a chosen c1 in one release reads coefficients of the secret.
 */

import { blobHash, decodeBlob } from '../bytes/blob.js';
import { parseCiphertext } from '../bytes/seal.js';
import { FheError } from '../errors.js';
import type { HolderKey } from './holderKey.js';

/** What a holder is asked to release, as the ledger names it. */
export interface ClaimedAggregate {
  /** Hex SHA-256 of the aggregate's blob. */
  readonly hash: string;
  /** Level that the plan prescribes. */
  readonly primes: number;
}

/**
 * Compares a holder's own evaluation, from the blobs that were committed before the job, with what it is asked for.
 *
 * @param own the holder's own aggregate, a ciphertext blob
 * @returns the body to be released
 * @throws FheError RELEASE_REFUSED if they differ in one word or the level is another, EPOCH_MISMATCH,
 *   PARAMETER_SET_MISMATCH, BLOB_MALFORMED, CIPHERTEXT_MALFORMED
 */
export function requireEvaluated(
  { set, epochId }: HolderKey,
  own: Uint8Array,
  claimed: ClaimedAggregate,
): Uint8Array {
  const body = decodeBlob(own, { kind: 'ciphertext', parameterSetId: set.id, epochId });
  const refused = (what: string): FheError =>
    new FheError('RELEASE_REFUSED', `The aggregate is not released: ${what}.`);
  if (blobHash(own) !== claimed.hash) throw refused("it is not this holder's own evaluation, word for word");
  const { size, primes } = parseCiphertext(body, set);
  if (size !== 2 || primes !== claimed.primes) throw refused('it is not at the prescribed level');
  return body;
}
