/**
 * The discrete Gaussian mechanism inside release shares. t - 1 holders may know or leave out their own noise, so every
 * holder adds the full agreed variance: privacy is accounted with one holder's noise, and t times the variance is what
 * the published error states.
 *
 * Source: Canonne, Kamath, Steinke, "The Discrete Gaussian for Differential Privacy", NeurIPS 2020, theorem 4: noise
 * of deviation sigma on an integer of sensitivity D is (D^2 / (2 sigma^2))-concentrated differentially private.
 */
import { FheError } from '../errors.js';
import type { ParameterSet } from '../params/parameterSet.js';
import { ceilDiv, ceilSqrt } from '../plan/integers.js';
import { type Rational, toNumber } from '../release/rational.js';

export interface PrivacyRequest {
  /** Budget of this one value, rho of zero-concentrated differential privacy. */
  readonly rho: Rational;
  /**
   * By how much one unit (a patient added or removed) moves the sum over the slots: 1 for a count and for columns
   * scaled to [-1, 1].
   */
  readonly sensitivity: Rational;
  /** Scale of the released ciphertext. */
  readonly scale: Rational;
  /** Deviation of the cell's flooding noise, from which the bound on the ciphertext's own noise follows. */
  readonly sigma: bigint;
}

function requirePositive(...values: readonly Rational[]): void {
  if (values.some(({ numerator, denominator }) => numerator <= 0n || denominator <= 0n)) {
    throw new FheError('ARGUMENT_INVALID', 'Budget, sensitivity and scale are positive.');
  }
}

/**
 * Sensitivity of the released coefficient: Delta / slots for one unit of the sum, rounded up, 1 for the encoder's
 * rounding, and twice the bound B on the ciphertext's noise, which in a product depends on the data.
 */
export function coefficientSensitivity(
  { slots, smudging }: ParameterSet,
  { sensitivity, scale, sigma }: Omit<PrivacyRequest, 'rho'>,
): bigint {
  requirePositive(sensitivity, scale);
  const unit = ceilDiv(
    sensitivity.numerator * scale.numerator,
    sensitivity.denominator * scale.denominator * BigInt(slots),
  );
  // sigma = sqrt(12 tau) 2^(s/2) B, and sqrt(12) > 3.
  const bound = ceilDiv(sigma, 3n << BigInt(Math.floor((smudging.s + smudging.tauLog2) / 2)));
  return unit + 1n + 2n * bound;
}

/**
 * Deviation of the noise that each holder adds for a budget, in units of the coefficient, rounded up:
 * sensitivity / sqrt(2 rho).
 *
 * @throws FheError ARGUMENT_INVALID
 */
export function privacyDeviation(set: ParameterSet, request: PrivacyRequest): bigint {
  const { rho } = request;
  requirePositive(rho);
  const sensitivity = coefficientSensitivity(set, request);
  return ceilSqrt(ceilDiv(sensitivity ** 2n * rho.denominator, 2n * rho.numerator));
}

/** Deviation of the released sum's error by the privacy noise of all `holders` of a committee. */
export function privacyError(
  { slots }: ParameterSet,
  request: { readonly privacySigma: bigint; readonly scale: Rational; readonly holders: number },
): number {
  const { privacySigma, scale, holders } = request;
  requirePositive(scale);
  const one = toNumber(privacySigma * BigInt(slots) * scale.denominator, scale.numerator);
  return Math.sqrt(holders) * one;
}
