/**
 * Pseudorandom shares of zero inside a committee. Holder k adds, for every other member m, plus (k < m) or minus
 * (k > m) a word that the two derive from a key of theirs: the words cancel in the committee's sum, and without that
 * sum every share is uniform.
 *
 * They are needed because Lagrange factors are fractions. Take t = 2 and a corrupted holder 3 outside the committee
 * {1, 2}: knowing f(3), the share 2 f(1) + e of holder 1 is 4/3 v + (known) + e, so 3 e + 4 v is known, and with it
 * the value v modulo 3, whatever the deviation of e. A few ten thousand releases would give the key. With shares of
 * zero t - 1 holders and every reader of the shares learn v plus the sum of the honest holders' noise, and no more.
 *
 * Source of the technique: Cramer, Damgaard, Ishai, "Share Conversion, Pseudorandom Secret-Sharing and Applications
 * to Secure Computation", TCC 2005.
 */
import { createHmac } from 'node:crypto';
import { canonicalJson, sha256 } from '../bytes/canonical.js';
import { FheError } from '../errors.js';
import { uniformBelow } from './gaussian.js';
import { modulo } from './rational.js';
import { xofStream } from './flooding.js';

export const pairKeyLength = 32;

/** Whose key of which sharing it is. */
export interface PairContext {
  readonly parameterSetId: string;
  readonly epochId: string;
  readonly shareVersion: number;
}

/** One end of a pair: its index, and the salt of the dealing that it sealed to the other end. */
export interface PairEnd {
  readonly index: number;
  /** 32 bytes, known to the two ends alone. */
  readonly salt: Uint8Array;
}

/**
 * The key of two holders, from the salts of the dealings that they sealed to each other: SHA-256 of a label, the
 * context as canonical JSON, and both ends in the order of their indexes. Uniform as soon as one salt is.
 */
export function pairKey(context: PairContext, a: PairEnd, b: PairEnd): Uint8Array {
  const [low, high] = a.index < b.index ? [a, b] : [b, a];
  const { parameterSetId, epochId, shareVersion } = context;
  const label = canonicalJson({
    label: 'strokeshare/fhe/pair-key/v1',
    parameterSetId,
    epochId,
    shareVersion,
    low: low.index,
    high: high.index,
  });
  return sha256(label, '\0', low.salt, high.salt);
}

/** The keys that a holder has with the others; position i belongs to holder i + 1, its own stays empty. */
export type PairKeys = readonly Uint8Array[];

/**
 * A holder's share of zero for one request.
 *
 * @param request everything that the committee's members agree on, as a JSON value
 * @returns one word below each modulus; over the committee they add up to 0 modulo each
 */
export function zeroShare(
  keys: PairKeys,
  index: number,
  committee: readonly number[],
  request: unknown,
  moduli: readonly bigint[],
): bigint[] {
  const text = canonicalJson({ label: 'strokeshare/fhe/zero-share/v1', request });
  const sums = moduli.map(() => 0n);
  for (const other of committee) {
    if (other === index) continue;
    const key = keys[other - 1];
    if (key?.length !== pairKeyLength) {
      throw new FheError('COMMITTEE_INVALID', `Holder ${index} has no key in common with holder ${other}.`);
    }
    const stream = xofStream(createHmac('sha256', key).update(text).digest());
    for (const [i, modulus] of moduli.entries()) {
      const word = uniformBelow(stream, modulus);
      sums[i] = modulo((sums[i] as bigint) + (index < other ? word : -word), modulus);
    }
  }
  return sums;
}
