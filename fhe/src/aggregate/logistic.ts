/**
 * One step of a logistic regression over several institutions, as a vector: the gradient of the log-likelihood, the
 * upper triangle of Fisher's information row by row, and the log-likelihood itself (McCullagh and Nelder, Generalized
 * Linear Models, 2nd edition, section 4.4). All of them are sums over patients, so institutions' vectors add up.
 */
import { FheError } from '../errors.js';
import { type FixedPointFormat } from './fixedPoint.js';

/** What one unit of a coefficient on the ledger is worth: coefficients are stated in whole units. */
export const COEFFICIENT_UNIT = 2 ** -40;
/**
 * The most that the magnitudes of all coefficients together may be. With terms scaled to [-1, 1] it bounds every
 * patient's logit, hence every entry of the vector; and it keeps the probabilities from becoming a sharp threshold,
 * which would count the patients on one side of it.
 */
export const LARGEST_LOGIT = 48;
/** The most terms behind the intercept. */
export const MAXIMUM_TERMS = 15;

/** What no patient adds more than to any entry: -log(probability) is below the logit's magnitude plus log 2. */
const LARGEST_ENTRY = 64;
/** A sum must stay below a quarter of 2^61 - 1. */
const WORD_BITS = 58;
const MAXIMUM_FRACTION_BITS = 40;

/** Sums over patients, at given coefficients. */
export interface LogisticSums {
  gradient: readonly number[];
  /** Symmetric: sum of p (1 - p) times the products of two terms. */
  information: readonly (readonly number[])[];
  logLikelihood: number;
}

/** Entries of the vector for so many coefficients, the intercept's among them. */
export const logisticLength = (coefficients: number): number =>
  coefficients + (coefficients * (coefficients + 1)) / 2 + 1;

/**
 * The fixed-point format that has room for any sum over so many patients.
 *
 * @param patients the most that all institutions together may have
 */
export function logisticFormat(
  coefficients: number,
  patients: number,
  institutions: number,
): FixedPointFormat {
  const bound = patients * LARGEST_ENTRY;
  const fractionBits = Math.min(MAXIMUM_FRACTION_BITS, WORD_BITS - bitsOf(bound) - bitsOf(institutions));
  return { length: logisticLength(coefficients), fractionBits, bound, contributors: institutions };
}

/** Bits that a whole number below 2^48 fits in: no logarithm, because every machine has to find the same. */
function bitsOf(value: number): number {
  let bits = 0;
  while (2 ** bits <= value) bits += 1;
  return bits;
}

/** The entries of the vector. */
export function logisticVector({ gradient, information, logLikelihood }: LogisticSums): number[] {
  const triangle = information.flatMap((row, i) => row.slice(i));
  return [...gradient, ...triangle, logLikelihood];
}

/**
 * The sums that a vector is made of.
 *
 * @throws FheError ARGUMENT_INVALID for another number of entries
 */
export function logisticSumsOf(vector: ArrayLike<number>, coefficients: number): LogisticSums {
  if (vector.length !== logisticLength(coefficients))
    throw new FheError('ARGUMENT_INVALID', `This is no vector of ${coefficients} coefficients.`);
  const entries = Array.from(vector);
  const gradient = entries.slice(0, coefficients);
  const information = gradient.map(() => new Array<number>(coefficients).fill(0));
  let next = coefficients;
  for (let i = 0; i < coefficients; i++)
    for (let j = i; j < coefficients; j++) {
      const entry = entries[next++] ?? 0;
      for (const [row, column] of [
        [i, j],
        [j, i],
      ] as const) {
        const line = information[row];
        if (line) line[column] = entry;
      }
    }
  return { gradient, information, logLikelihood: entries[next] ?? 0 };
}
