/**
 * The check of a batch's indicator columns before their first use: the holders, and they alone, open
 * sum r (g^2 - g), coefficients 0 and N/2, over all slots and indicator columns, with public random r fixed after the
 * batch's root. It is zero for columns of zeros and ones and no imaginary parts; with anything else in a slot it is
 * zero only if r happens to hide it.
 *
 * It needs a product, so batches of the set `additive` cannot be checked; and a column that is stored in a pair alone
 * cannot, since its square mixes with its partner's. What it bounds is the plaintext, never how it was encrypted.
 */
import { canonicalJson, sha256 } from '../bytes/canonical.js';
import { FheError } from '../errors.js';
import type { ParameterSet } from '../params/parameterSet.js';
import { ceilDiv, ceilSqrt } from '../plan/integers.js';
import { NoiseModel } from '../plan/noise.js';
import type { SealContext } from '../seal/context.js';
import type { SealCiphertext, SealRelinKeys } from '../seal/objects.js';
import { cellValue } from './combine.js';
import { xofStream } from './flooding.js';
import type { Rational } from './rational.js';

/** log2 of the scale of r. */
const weightBits = 30;
/** Primes that the squares' scale needs. */
const leastPrimes = 3;

export interface IndicatorBatch {
  readonly epochId: string;
  /** Hex Merkle root of the batch. */
  readonly merkleRoot: string;
  /**
   * 32 bytes that nobody could know when the root was fixed, such as joint randomness of the holders. A hash of the
   * root alone would let a contributor try columns until its weights suit it.
   */
  readonly randomness: Uint8Array;
  /** Bodies of the freshly encrypted indicator columns, each stored alone, by name. */
  readonly columns: ReadonlyMap<string, Uint8Array>;
}

export interface IndicatorCheck {
  /** Body of the size-2 ciphertext to be released at coefficients 0 and N/2, to the holders alone. */
  readonly ciphertext: Uint8Array;
  readonly scale: Rational;
  /** Deviation of the flooding noise. */
  readonly sigma: bigint;
}

/**
 * Weights of a column: for each slot a signed 32-bit integer over 2^31, little endian, from SHAKE-256 of the hash of
 * the randomness and the column's name.
 */
export function indicatorWeights(set: ParameterSet, batch: IndicatorBatch, column: string): Float64Array {
  if (batch.randomness.length !== 32) throw new FheError('ARGUMENT_INVALID', 'The randomness has 32 bytes.');
  const { epochId, merkleRoot } = batch;
  const label = canonicalJson({
    label: 'strokeshare/fhe/indicator-check/v1',
    parameterSetId: set.id,
    epochId,
    merkleRoot,
    column,
  });
  const bytes = xofStream(sha256(label, '\0', batch.randomness)).take(4 * set.slots);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return Float64Array.from({ length: set.slots }, (_, i) => view.getInt32(4 * i, true) / 2 ** 31);
}

/**
 * Evaluates the check; every holder does so itself, from the committed blobs, and gets the same bytes.
 *
 * @param holders number of key holders, n
 * @throws FheError CAPACITY_EXCEEDED for columns below three primes; CIPHERTEXT_MALFORMED, ARGUMENT_INVALID
 */
export function evaluateIndicatorCheck(
  context: SealContext,
  relinKeys: SealRelinKeys,
  batch: IndicatorBatch,
  holders: number,
): IndicatorCheck {
  const { set, evaluator } = context;
  const unit = 2 ** set.scaleBits;
  let sum: SealCiphertext | undefined;
  try {
    for (const [name, body] of [...batch.columns].sort(([a], [b]) => (a < b ? -1 : 1))) {
      using column = context.loadCiphertext(body);
      const { primes } = column;
      if (primes < leastPrimes || column.size !== 2 || column.scale !== unit) {
        throw new FheError('CAPACITY_EXCEEDED', `Column ${name} is not a fresh one with room for a product.`);
      }
      using minusOne = context.encode(new Float64Array(set.slots).fill(-1), unit, primes);
      using weights = context.encode(indicatorWeights(set, batch, name), 2 ** weightBits, primes);
      using square = evaluator.square(column);
      using minus = evaluator.multiplyPlain(column, minusOne);
      evaluator.addInPlace(square, minus);
      const weighted = evaluator.multiplyPlain(square, weights);
      if (sum) {
        using next = weighted;
        evaluator.addInPlace(sum, next);
      } else sum = weighted;
    }
    if (!sum) throw new FheError('ARGUMENT_INVALID', 'There is no indicator column to check.');
    evaluator.relinearizeInPlace(sum, relinKeys);
    return {
      ciphertext: sum.save(),
      scale: { numerator: 1n << BigInt(2 * set.scaleBits + weightBits), denominator: 1n },
      sigma: checkDeviation(set, holders, batch.columns.size),
    };
  } finally {
    sum?.[Symbol.dispose]();
  }
}

/** The noise of (g^2 - g) r, a weight's root mean square over the slots being at most 1; columns add variances. */
function checkDeviation(set: ParameterSet, holders: number, columns: number): bigint {
  const model = new NoiseModel(set, holders);
  const fresh = model.fresh();
  const square = model.product(fresh, fresh);
  const one = (square.deviation + (fresh.deviation << BigInt(set.scaleBits))) << BigInt(weightBits);
  const all = ceilSqrt(BigInt(columns) * one * one);
  const relinearized = model.sum({ ...square, deviation: all }, 1, {
    times: 1,
    primes: set.dataPrimes,
  });
  return model.flooding(model.bound(relinearized));
}

/** What the check's released coefficients say. */
export interface IndicatorVerdict {
  readonly isIndicator: boolean;
  /** The weighted sums, of real and imaginary parts. */
  readonly real: number;
  readonly imaginary: number;
  /** 8 deviations of the released error: honest columns stay below it. */
  readonly limit: number;
}

/**
 * Judges the released coefficients.
 *
 * @param released centred residues, from {@link combineShares}
 * @param threshold holders of a committee, t
 */
export function judgeIndicators(
  set: ParameterSet,
  { scale, sigma }: IndicatorCheck,
  released: { readonly constant: bigint; readonly half: bigint },
  threshold: number,
): IndicatorVerdict {
  const real = cellValue(released.constant, scale, set.slots);
  const imaginary = cellValue(released.half, scale, set.slots);
  const deviation = ceilDiv(ceilSqrt(BigInt(threshold) << 32n) * sigma, 1n << 16n);
  const limit = 8 * cellValue(deviation, scale, set.slots);
  return { isIndicator: Math.max(Math.abs(real), Math.abs(imaginary)) <= limit, real, imaginary, limit };
}
