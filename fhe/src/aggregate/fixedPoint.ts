/**
 * Vectors of real numbers as fixed-point integers modulo 2^61 - 1. What could overflow once all contributors are added
 * is refused before anything is shared; the sum is exact in the fixed-point values.
 */
import { FheError } from '../errors.js';
import { modulo } from '../release/rational.js';
import { centred, fieldPrime } from './field.js';

export interface FixedPointFormat {
  /** Entries of a vector. */
  readonly length: number;
  /** Bits behind the point, 0 to 52. */
  readonly fractionBits: number;
  /** No contributor's entry is larger in magnitude. */
  readonly bound: number;
  /** Most contributors that may be added. */
  readonly contributors: number;
}

const longest = 1 << 20;

/**
 * Checks that sums cannot overflow: contributors * ceil(bound 2^fractionBits) below (2^61 - 1) / 2, with one bit left
 * for privacy noise.
 *
 * @throws FheError ARGUMENT_INVALID, OVERFLOW
 */
export function requireFormat(format: FixedPointFormat): FixedPointFormat {
  const { length, fractionBits, bound, contributors } = format;
  const integers = [length, fractionBits, contributors];
  if (!integers.every(Number.isSafeInteger) || length < 1 || length > longest || contributors < 1) {
    throw new FheError(
      'ARGUMENT_INVALID',
      `A vector has 1 to ${longest} entries and at least 1 contributor.`,
    );
  }
  if (fractionBits < 0 || fractionBits > 52 || !(bound > 0) || !Number.isFinite(bound)) {
    throw new FheError(
      'ARGUMENT_INVALID',
      'A fixed-point format has 0 to 52 fraction bits and a finite bound.',
    );
  }
  if (BigInt(contributors) * largest(format) >= fieldPrime / 4n) {
    throw new FheError(
      'OVERFLOW',
      `${contributors} vectors with entries up to ${bound} at ${fractionBits} fraction bits could overflow.`,
    );
  }
  return format;
}

function largest({ bound, fractionBits }: FixedPointFormat): bigint {
  const scaled = bound * 2 ** fractionBits;
  if (!Number.isFinite(scaled)) throw new FheError('OVERFLOW', 'The bound is beyond the field.');
  return BigInt(Math.ceil(scaled));
}

/**
 * Rounds a vector to the format.
 *
 * @throws FheError OVERFLOW for an entry that is not finite or above the bound; ARGUMENT_INVALID
 */
export function encodeVector(values: ArrayLike<number>, format: FixedPointFormat): BigUint64Array {
  requireFormat(format);
  if (values.length !== format.length) {
    throw new FheError('ARGUMENT_INVALID', `A vector of ${format.length} entries was expected.`);
  }
  return BigUint64Array.from(Array.from(values), (value, i) => {
    if (!(Math.abs(value) <= format.bound)) {
      throw new FheError('OVERFLOW', `Entry ${i} is not within the bound ${format.bound}.`);
    }
    return modulo(BigInt(Math.round(value * 2 ** format.fractionBits)), fieldPrime);
  });
}

/** The real numbers of a sum. */
export function decodeVector(words: BigUint64Array, format: FixedPointFormat): Float64Array {
  const unit = 2 ** format.fractionBits;
  return Float64Array.from(Array.from(words), (word) => Number(centred(word)) / unit);
}
