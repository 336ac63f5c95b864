/**
 * Worst-case noise of a cell, in exact integer arithmetic: the same on every machine, and rounded up at every step.
 *
 * Deviations are those of one coefficient, in units of 2^-16 of the coefficient. Sources: the collective key's secret
 * is a sum of n ternary secrets; SEAL's centred binomial error has variance 21/2; a fresh or rescaled ciphertext carries
 * the rounding of its division by a prime, deviation sqrt((2nN/3 + 1)/12). Measured figures never enter.
 */
import { type ParameterSet } from '../params/index.js';
import { type Rational } from '../release/rational.js';
import { ceilDiv, ceilSqrt } from './integers.js';

const FRACTION = 16n;

/** B is this many tenths of a deviation: 9.2, beyond which a Gaussian lies with probability 2^-64. */
const BOUND_TENTHS = 92n;

/** The square root of 2 in the unit of deviations, rounded up: two columns in one ciphertext, each in [-1, 1]. */
const PAIR_MAGNITUDE = ceilSqrt(2n << (2n * FRACTION));

/** A ciphertext as the bound sees it. */
export interface NoisyValue {
  deviation: bigint;
  scale: Rational;
  /** A bound on the absolute value of every slot, in units of 2^-16: 1 for a column, which lies in [-1, 1]. */
  magnitude: bigint;
}

export type NoiseSet = Pick<
  ParameterSet,
  'polyModulusDegree' | 'slots' | 'primes' | 'dataPrimes' | 'scaleBits' | 'smudging'
>;

/** The noise rules of one parameter set and number of key holders. */
export class NoiseModel {
  readonly #set: NoiseSet;
  readonly #roundingVariance: bigint;
  readonly #keyVariance: bigint;

  constructor(set: NoiseSet, holders: number) {
    this.#set = set;
    const n = BigInt(holders);
    const degree = BigInt(set.polyModulusDegree);
    // (2nN/3 + 1) / 12
    this.#roundingVariance = ceilDiv((2n * n * degree + 3n) << (2n * FRACTION), 36n);
    // A relinearisation key's error: s e + u e' + e'' + e''', each e a sum of n errors of variance 21/2.
    this.#keyVariance = ceilDiv(2n * degree * 2n * n * n * 21n, 6n) + 21n * n;
  }

  /** A freshly encrypted column, or a pair of them. */
  fresh(pair = false): NoisyValue {
    return {
      magnitude: pair ? PAIR_MAGNITUDE : 1n << FRACTION,
      deviation: ceilSqrt(this.#roundingVariance),
      scale: { numerator: 1n << BigInt(this.#set.scaleBits), denominator: 1n },
    };
  }

  /** A product: each factor's noise times the other's scale and size, added as if they were one and the same noise. */
  product(a: NoisyValue, b: NoisyValue): NoisyValue {
    const both = (a.deviation * b.deviation * ceilSqrt(BigInt(4 * this.#set.polyModulusDegree))) >> FRACTION;
    return {
      magnitude: times(a.magnitude, b.magnitude),
      deviation:
        scaled(times(a.deviation, b.magnitude), b.scale) +
        scaled(times(b.deviation, a.magnitude), a.scale) +
        both +
        1n,
      scale: {
        numerator: a.scale.numerator * b.scale.numerator,
        denominator: a.scale.denominator * b.scale.denominator,
      },
    };
  }

  /** The sum of independent values of one deviation, each sum of a group relinearised once. */
  sum(value: NoisyValue, terms: number, relinearized: { times: number; primes: number }): NoisyValue {
    const own = BigInt(terms) * value.deviation ** 2n;
    const keys = BigInt(relinearized.times) * this.#relinearizationVariance(relinearized.primes);
    return { ...value, deviation: ceilSqrt(own + keys) };
  }

  /** The value after rescaling by the last of `primes` primes. */
  rescaled(value: NoisyValue, primes: number): NoisyValue {
    const prime = primeAt(this.#set, primes - 1);
    const kept = ceilDiv(value.deviation, prime);
    return {
      ...value,
      deviation: ceilSqrt(kept ** 2n + this.#roundingVariance),
      scale: { numerator: value.scale.numerator, denominator: value.scale.denominator * prime },
    };
  }

  /** Whether `terms` such values and `margin` besides stay below half the modulus. */
  fits(
    { scale, magnitude }: Omit<NoisyValue, 'deviation'>,
    terms: number,
    margin: bigint,
    primes: number,
  ): boolean {
    const modulus = this.#set.primes.slice(0, primes).reduce((product, prime) => product * prime, 1n);
    return 2n * (times(scaled(BigInt(terms), scale), magnitude) + margin) < modulus;
  }

  /** B: a bound on the noise of the coefficient to be released, in its own unit. */
  bound(value: NoisyValue): bigint {
    return ceilDiv(value.deviation * BOUND_TENTHS, 10n << FRACTION);
  }

  /** The flooding deviation ceil(sqrt(12 tau) 2^(s/2) B) (Li, Micciancio, Schultz, Sorrell, CRYPTO 2022). */
  flooding(bound: bigint): bigint {
    const { s, tauLog2 } = this.#set.smudging;
    return ceilSqrt((12n * bound ** 2n) << BigInt(s + tauLog2));
  }

  /**
   * The error of the released sum: `holders` flooding noises and the ciphertext's own, times slots over the scale.
   * An exact fraction, its root rounded up.
   */
  releasedError(value: NoisyValue, sigma: bigint, holders: number): Rational {
    const deviation = ceilSqrt(((BigInt(holders) * sigma ** 2n) << (2n * FRACTION)) + value.deviation ** 2n);
    return {
      numerator: deviation * BigInt(this.#set.slots) * value.scale.denominator,
      denominator: value.scale.numerator << FRACTION,
    };
  }

  /** Key switching: digits below the primes times the key's error, divided by the special prime and rounded. */
  #relinearizationVariance(primes: number): bigint {
    const special = primeAt(this.#set, this.#set.dataPrimes);
    let digits = 0n;
    for (let j = 0; j < primes; j++) digits += primeAt(this.#set, j) ** 2n;
    const switched = digits * BigInt(this.#set.polyModulusDegree) * this.#keyVariance;
    return ceilDiv(switched << (2n * FRACTION), 3n * special ** 2n) + this.#roundingVariance;
  }
}

/** A product with a magnitude. */
function times(value: bigint, magnitude: bigint): bigint {
  return ceilDiv(value * magnitude, 1n << FRACTION);
}

function scaled(value: bigint, scale: Rational): bigint {
  return ceilDiv(value * scale.numerator, scale.denominator);
}

function primeAt(set: NoiseSet, index: number): bigint {
  const prime = set.primes[index];
  if (prime === undefined) throw new RangeError(`the parameter set has no prime ${index}`);
  return prime;
}
