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

function undefinedFor(statistic: string, group: string): ClientError {
  return new ClientError('STATISTIC_UNDEFINED', `${statistic} of ${group} is not defined.`);
}
