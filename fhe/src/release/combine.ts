/** What the receiver of t shares computes: the coefficient, and from it a count or a sum. Exact integer arithmetic. */
import { wordsOf } from '../bytes/words.js';
import { FheError } from '../errors.js';
import type { ParameterSet } from '../params/parameterSet.js';
import { floorDivide, inverseModulo, modulo, type Rational, toNumber } from './rational.js';

export interface CombineRequest {
  /** From {@link sumOfC0}. */
  readonly c0: Uint8Array;
  /** Shares by holder index, of one whole committee. */
  readonly shares: ReadonlyMap<number, Uint8Array>;
}

function wordsBelowPrimes(set: ParameterSet, bytes: Uint8Array, primes: number, whose: string): bigint[] {
  const malformed = (what: string): FheError => new FheError('SHARE_MALFORMED', `${whose} ${what}.`);
  if (bytes.length !== 8 * primes) throw malformed(`has not 8 bytes for each of ${primes} primes`);
  return Array.from(wordsOf(bytes), (word, i) => {
    if (word >= (set.primes[i] as bigint)) throw malformed('has a word that is not below its prime');
    return word;
  });
}

/**
 * Adds the shares of a committee to the public part and lifts the sum by the Chinese remainder theorem.
 *
 * @returns the coefficient with its noise, centred modulo the product of the primes that are present
 * @throws FheError SHARE_MALFORMED
 */
export function combineShares(set: ParameterSet, { c0, shares }: CombineRequest): bigint {
  const primes = c0.length / 8;
  if (!Number.isInteger(primes) || primes < 1 || primes > set.dataPrimes) {
    throw new FheError('SHARE_MALFORMED', 'The sum of c0 has not 8 bytes for each prime.');
  }
  if (shares.size === 0) throw new FheError('SHARE_MALFORMED', 'There is no share to combine.');
  const rows = [
    wordsBelowPrimes(set, c0, primes, 'The sum of c0'),
    ...Array.from(shares, ([index, share]) =>
      wordsBelowPrimes(set, share, primes, `The share of holder ${index}`),
    ),
  ];
  const used = set.primes.slice(0, primes);
  return liftCentred(
    used.map((_, i) => rows.reduce((total, row) => total + (row[i] as bigint), 0n)),
    used,
  );
}

/** The integer of least magnitude with the given residues (any representatives) modulo distinct primes. */
export function liftCentred(residues: readonly bigint[], moduli: readonly bigint[]): bigint {
  const modulus = moduli.reduce((a, b) => a * b);
  const lifted = moduli.reduce((sum, prime, i) => {
    const cofactor = modulus / prime;
    return sum + modulo(residues[i] as bigint, prime) * inverseModulo(cofactor, prime) * cofactor;
  }, 0n);
  const residue = modulo(lifted, modulus);
  return residue > modulus / 2n ? residue - modulus : residue;
}

function requireScale(scale: Rational, slots: number): void {
  if (scale.numerator <= 0n || scale.denominator <= 0n || !Number.isSafeInteger(slots) || slots < 1) {
    throw new FheError('ARGUMENT_INVALID', 'A scale and a number of slots are positive.');
  }
}

/**
 * A count: the integer nearest to residue / scale times slots, halves upwards. Exact, so that contracts agree.
 *
 * @param slots values in a ciphertext; the coefficient is the mean over them
 */
export function roundedCount(residue: bigint, scale: Rational, slots: number): bigint {
  requireScale(scale, slots);
  const numerator = 2n * residue * BigInt(slots) * scale.denominator;
  return floorDivide(numerator + scale.numerator, 2n * scale.numerator);
}

/** A sum over all slots, residue / scale times slots, as the nearest double. */
export function cellValue(residue: bigint, scale: Rational, slots: number): number {
  requireScale(scale, slots);
  return toNumber(residue * BigInt(slots) * scale.denominator, scale.numerator);
}
