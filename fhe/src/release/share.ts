/**
 * Release of one coefficient. The constant coefficient of a polynomial is N^-1 times the sum of its NTT values, so a
 * holder's whole share of a released sum is one word for each prime:
 * lambda_k N^-1 <c1, s_k> + z_k + e_k, with the flooding noise e_k added after lambda_k, and z_k the holder's share
 * of zero inside its committee (see zeroSharing.ts for what would leak without it).
 *
 * Coefficient N/2 (the second column of a packed pair) is the constant coefficient of -X^(N/2) times the polynomial;
 * X^(N/2) is a square root of -1, I on the first half of SEAL's order and -I on the second.
 *
 * Any t colluding holders can decrypt everything; t - 1 cannot. A holder shares only a ciphertext that it evaluated
 * itself from committed blobs: a chosen c1 reads the secret.
 */
import { parseCiphertext } from '../bytes/seal.js';
import { sha256Hex } from '../bytes/canonical.js';
import { bytesOf } from '../bytes/words.js';
import { FheError } from '../errors.js';
import type { ParameterSet } from '../params/parameterSet.js';
import type { Polynomial, Ring } from '../ring/ring.js';
import { floodingNoise, type NoiseContext, privacyNoise } from './flooding.js';
import type { HolderKey } from './holderKey.js';
import { inverseModulo, modulo } from './rational.js';
import { zeroShare } from './zeroSharing.js';

/** Which coefficient: the constant one, or that of X^(N/2). */
export type Coefficient = 0 | 'half';

export interface ReleaseRequest {
  /** Body of a size-2 ciphertext at its release level, evaluated by the holder itself. */
  readonly ciphertext: Uint8Array;
  /** Indexes of exactly t holders, ascending, this one among them. */
  readonly committee: readonly number[];
  /** Deviation of the flooding noise in units of the coefficient, an integer from the plan. */
  readonly sigma: bigint;
  readonly coefficient?: Coefficient;
  /**
   * Deviation of the differential privacy noise in units of the coefficient, where it is agreed: every holder adds
   * all of it ({@link privacyDeviation}).
   */
  readonly privacySigma?: bigint;
}

/** Lagrange factor of a holder at 0 modulo a prime: the product of m / (m - k) over the committee's other m. */
export function lagrange(committee: readonly number[], index: number, prime: bigint): bigint {
  let numerator = 1n;
  let denominator = 1n;
  for (const other of committee) {
    if (other === index) continue;
    numerator = (numerator * BigInt(other)) % prime;
    denominator = modulo(denominator * BigInt(other - index), prime);
  }
  return (numerator * inverseModulo(denominator, prime)) % prime;
}

/** @throws FheError COMMITTEE_INVALID */
export function requireCommittee(key: HolderKey, committee: readonly number[]): void {
  const ascending = committee.every(
    (index, i) => Number.isInteger(index) && index > (committee[i - 1] ?? 0) && index <= key.members,
  );
  if (!ascending || committee.length !== key.threshold || !committee.includes(key.index)) {
    throw new FheError(
      'COMMITTEE_INVALID',
      `A committee is ${key.threshold} ascending indexes from 1 to ${key.members}, holder ${key.index} among them.`,
    );
  }
}

/** Words as bytes, 8 for each prime, little endian. */
function encodeWords(words: readonly bigint[]): Uint8Array {
  return bytesOf(BigUint64Array.from(words));
}

/**
 * A holder's flooded share of one coefficient.
 *
 * @returns 8 bytes for each prime of the ciphertext; the same request gives the same bytes
 * @throws FheError CIPHERTEXT_MALFORMED, COMMITTEE_INVALID, RELEASE_REFUSED (not size 2, a deviation out of bounds,
 *   or another deviation than the first time), DISPOSED
 */
export function releaseShare(key: HolderKey, request: ReleaseRequest): Uint8Array {
  const { set } = key;
  const { committee, sigma, coefficient = 0, privacySigma } = request;
  requireCommittee(key, committee);
  const { size, primes, words } = parseCiphertext(request.ciphertext, set);
  if (size !== 2) throw new FheError('RELEASE_REFUSED', 'Only a relinearised ciphertext is released.');
  const modulus = set.primes.slice(0, primes).reduce((a, b) => a * b);
  for (const deviation of privacySigma === undefined ? [sigma] : [sigma, privacySigma]) {
    if (deviation < 1n || deviation << 10n > modulus) {
      throw new FheError('RELEASE_REFUSED', 'The deviation of the noise does not fit the level.');
    }
  }
  const degree = set.polyModulusDegree;
  const half = degree / 2;
  const c1 = words.subarray(words.length / 2);
  const context: NoiseContext = {
    epochId: key.epochId,
    shareVersion: key.shareVersion,
    committee: [...committee],
    coefficient: coefficient === 0 ? 0 : half,
    primes,
    c1: sha256Hex(bytesOf(c1)),
  };
  const deviations = { sigma: String(sigma), ...(privacySigma && { privacySigma: String(privacySigma) }) };
  const moduli = set.primes.slice(0, primes);
  return key.use(({ ring, share, noiseKey, pairKeys }) => {
    key.rememberAnswer(JSON.stringify(context), JSON.stringify(deviations));
    const noise =
      floodingNoise(noiseKey, context, sigma) +
      (privacySigma === undefined ? 0n : privacyNoise(noiseKey, context, privacySigma));
    const zero = zeroShare(pairKeys, key.index, committee, { ...context, ...deviations }, moduli);
    const polynomial = ring.load(c1);
    try {
      return encodeWords(
        lagrangeShare(ring, { c1: polynomial, share, committee, index: key.index, primes, coefficient }).map(
          (word, limb) => modulo(word + (zero[limb] as bigint) + noise, moduli[limb] as bigint),
        ),
      );
    } finally {
      ring.release(polynomial);
    }
  });
}

/** What a share is computed from, in a ring. */
export interface LagrangeShareInput {
  readonly c1: Polynomial;
  readonly share: Polynomial;
  readonly committee: readonly number[];
  readonly index: number;
  readonly primes: number;
  readonly coefficient: Coefficient;
}

/** lambda_k N^-1 <c1, s_k> modulo each prime, without any noise: never to be shown. */
export function lagrangeShare(ring: Ring, input: LagrangeShareInput): bigint[] {
  const { c1, share, committee, index, primes, coefficient } = input;
  const { set } = ring;
  const degree = set.polyModulusDegree;
  return set.primes.slice(0, primes).map((prime, limb) => {
    const first = ring.dot(c1, share, limb, 0, degree / 2);
    const second = ring.dot(c1, share, limb, degree / 2, degree);
    const product = joinHalves(set, limb, first, second, coefficient);
    const factor = (lagrange(committee, index, prime) * inverseModulo(BigInt(degree), prime)) % prime;
    return BigInt.asUintN(64, ring.multiplyWords(product, factor, limb));
  });
}

/** Sum over all points, weighted by 1 or by X^(-N/2), from the sums over the two halves. */
function joinHalves(
  set: ParameterSet,
  limb: number,
  first: bigint,
  second: bigint,
  coefficient: Coefficient,
): bigint {
  const prime = set.primes[limb] as bigint;
  if (coefficient === 0) return (first + second) % prime;
  return modulo((second - first) * (set.imaginaryUnits[limb] as bigint), prime);
}

/**
 * The public part of a release, N^-1 times the sum of c0's values (weighted as above for coefficient N/2).
 *
 * @param ciphertext body of a size-2 ciphertext at its release level
 * @returns 8 bytes for each prime
 * @throws FheError CIPHERTEXT_MALFORMED, RELEASE_REFUSED
 */
export function sumOfC0(ciphertext: Uint8Array, set: ParameterSet, coefficient: Coefficient = 0): Uint8Array {
  const { size, primes, words } = parseCiphertext(ciphertext, set);
  if (size !== 2) throw new FheError('RELEASE_REFUSED', 'Only a relinearised ciphertext is released.');
  const degree = set.polyModulusDegree;
  const half = degree / 2;
  const values = set.primes.slice(0, primes).map((prime, limb) => {
    const first = sumWords(words.subarray(limb * degree, limb * degree + half)) % prime;
    const second = sumWords(words.subarray(limb * degree + half, (limb + 1) * degree)) % prime;
    return (joinHalves(set, limb, first, second, coefficient) * inverseModulo(BigInt(degree), prime)) % prime;
  });
  return encodeWords(values);
}

/** Sum of up to 2^21 words: 32-bit halves add up exactly in doubles. */
function sumWords(words: BigUint64Array): bigint {
  const halves = new Uint32Array(words.buffer, words.byteOffset, 2 * words.length);
  let low = 0;
  let high = 0;
  for (let i = 0; i < halves.length; i += 2) {
    low += halves[i] as number;
    high += halves[i + 1] as number;
  }
  return (BigInt(high) << 32n) + BigInt(low);
}
