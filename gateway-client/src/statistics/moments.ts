import { ClientError } from '../errors.js';
import type { Measured } from './measured.js';

/** How a number of the schema was scaled to [-1, 1] before it was encrypted: number = middle + half * scaled. */
export interface Scaling {
  middle: number;
  half: number;
}

/** Released sums over a group of patients, of the scaled number u. */
export interface Sums {
  /** Patients in whom the number is recorded; exact. */
  count: number;
  /** Sum of u. */
  sum: Measured;
}

/**
 * The arithmetic mean, in the number's own unit.
 *
 * Error: the mean is linear in the released sum, so its deviation is `half * deviation(sum) / count`.
 *
 * @throws ClientError `STATISTIC_UNDEFINED` for an empty group.
 */
export function mean({ count, sum }: Sums, { middle, half }: Scaling): Measured {
  if (count < 1) throw undefinedFor('The mean', 'nobody');
  return { value: middle + (half * sum.value) / count, deviation: (half * sum.deviation) / count };
}

/**
 * The unbiased sample variance (divisor `count - 1`, as `var` in R), in the square of the number's own unit.
 *
 * Computed from the sums of u and u^2. Since |u| <= 1 the cancellation in `sum(u^2) - sum(u)^2 / count` loses at most
 * a factor of count / variance(u), far above the precision of a double for any group that a job may release.
 *
 * Error, to first order in the independent errors of both sums (the delta method):
 * `half^2 / (count - 1) * sqrt(deviation(squares)^2 + (2 * sum / count)^2 * deviation(sum)^2)`.
 *
 * @throws ClientError `STATISTIC_UNDEFINED` for a group of fewer than two.
 */
export function sampleVariance(
  { count, sum, squares }: Sums & { squares: Measured },
  { half }: Scaling,
): Measured {
  if (count < 2) throw undefinedFor('The sample variance', 'fewer than two patients');
  const factor = half ** 2 / (count - 1);
  const average = sum.value / count;
  return {
    value: factor * (squares.value - average * sum.value),
    deviation: factor * Math.hypot(squares.deviation, 2 * average * sum.deviation),
  };
}

/**
 * The sum over a group of patients, in the number's own unit.
 *
 * Error: `half * deviation(sum)`.
 */
export function sum({ count, sum: scaled }: Sums, { middle, half }: Scaling): Measured {
  return { value: count * middle + half * scaled.value, deviation: half * scaled.deviation };
}

/**
 * The sample standard deviation, in the number's own unit.
 *
 * Error, to first order: `deviation(variance) / (2 * value)`.
 *
 * @throws ClientError `STATISTIC_UNDEFINED` as {@link sampleVariance}.
 */
export function standardDeviation(sums: Sums & { squares: Measured }, scaling: Scaling): Measured {
  const variance = sampleVariance(sums, scaling);
  // Rounding may leave a variance of 0 a little below it.
  const value = Math.sqrt(Math.max(0, variance.value));
  return { value, deviation: value > 0 ? variance.deviation / (2 * value) : Math.sqrt(variance.deviation) };
}

/**
 * The standard error of the mean: standard deviation over the root of the count.
 *
 * @throws ClientError `STATISTIC_UNDEFINED` as {@link sampleVariance}.
 */
export function standardError(sums: Sums & { squares: Measured }, scaling: Scaling): Measured {
  const { value, deviation } = standardDeviation(sums, scaling);
  const root = Math.sqrt(sums.count);
  return { value: value / root, deviation: deviation / root };
}

function undefinedFor(statistic: string, group: string): ClientError {
  return new ClientError('STATISTIC_UNDEFINED', `${statistic} of ${group} is not defined.`);
}
