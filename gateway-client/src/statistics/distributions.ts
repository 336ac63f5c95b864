/** Tails and quantiles of the distributions behind tests and intervals, from stdlib's special functions. */
import betainc from '@stdlib/math-base-special-betainc';
import erfc from '@stdlib/math-base-special-erfc';
import gammainc from '@stdlib/math-base-special-gammainc';
import betaQuantile from '@stdlib/stats-base-dists-beta-quantile';
import normalQuantile from '@stdlib/stats-base-dists-normal-quantile';
import studentQuantile from '@stdlib/stats-base-dists-t-quantile';
import { ClientError } from '../errors.js';
import type { Interval } from './common.js';

export { betaQuantile };

/** P(Z > z) of the standard normal distribution; keeps its relative precision far out. */
export function normalUpperTail(z: number): number {
  return erfc(z / Math.SQRT2) / 2;
}

/** Beyond this many degrees of freedom the special function is wrong in the second digit; tables have at most hundreds. */
const MAXIMUM_DEGREES = 1_500;

/**
 * P(X > x) of the chi-square distribution.
 *
 * @throws ClientError `STATISTIC_UNDEFINED` for more than 1,500 degrees of freedom.
 */
export function chiSquareUpperTail(x: number, degreesOfFreedom: number): number {
  if (degreesOfFreedom > MAXIMUM_DEGREES)
    throw new ClientError(
      'STATISTIC_UNDEFINED',
      `The chi-square distribution is computed up to ${MAXIMUM_DEGREES} degrees of freedom; join levels that are rare.`,
    );
  return gammainc(x / 2, degreesOfFreedom / 2, true, true);
}

/** P(F > f) of the F distribution; from the share of both sides that is small, so that it keeps its precision. */
export function fUpperTail(f: number, numerator: number, denominator: number): number {
  const between = numerator * f;
  if (between < denominator)
    return betainc(between / (denominator + between), numerator / 2, denominator / 2, true, true);
  return betainc(denominator / (denominator + between), denominator / 2, numerator / 2, true, false);
}

/** P(T > t) of Student's distribution. */
export function studentUpperTail(t: number, degreesOfFreedom: number): number {
  const tail = fUpperTail(t * t, 1, degreesOfFreedom) / 2;
  return t >= 0 ? tail : 1 - tail;
}

/** What a test's p value counts as at least as extreme: as `alternative` in R and SciPy. */
export type Alternative = 'two-sided' | 'less' | 'greater';

/** The p value of a statistic whose null distribution is symmetric about 0. */
export function symmetricP(
  statistic: number,
  alternative: Alternative,
  upperTail: (x: number) => number,
): number {
  switch (alternative) {
    case 'two-sided':
      return 2 * upperTail(Math.abs(statistic));
    case 'greater':
      return upperTail(statistic);
    case 'less':
      return upperTail(-statistic);
  }
}

/**
 * The normal deviate of an interval: 1.96 at 0.95, and 1.64 where it is one-sided.
 *
 * @throws ClientError `STATISTIC_UNDEFINED` for a level that is not between 0 and 1.
 */
export function normalCritical(level: number, alternative: Alternative = 'two-sided'): number {
  return normalQuantile(below(level, alternative), 0, 1);
}

/** The same of Student's distribution. */
export function studentCritical(
  level: number,
  degreesOfFreedom: number,
  alternative: Alternative = 'two-sided',
): number {
  return studentQuantile(below(level, alternative), degreesOfFreedom);
}

/** What lies below the deviate. */
function below(level: number, alternative: Alternative): number {
  return alternative === 'two-sided' ? (1 + checkedLevel(level)) / 2 : checkedLevel(level);
}

/** The interval that belongs to a test: one-sided ones are open on the other side, as in R and SciPy. */
export function intervalFor(alternative: Alternative, lower: number, upper: number): Interval {
  return {
    lower: alternative === 'less' ? -Infinity : lower,
    upper: alternative === 'greater' ? Infinity : upper,
  };
}

/** @throws ClientError `STATISTIC_UNDEFINED` */
export function checkedLevel(level: number): number {
  if (level > 0 && level < 1) return level;
  throw new ClientError('STATISTIC_UNDEFINED', 'A confidence level lies between 0 and 1.');
}
