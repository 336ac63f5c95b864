import { undefinedStatistic, type Estimate, type Test } from './common.js';
import {
  intervalFor,
  studentCritical,
  studentUpperTail,
  symmetricP,
  type Alternative,
} from './distributions.js';

/** What a group's cells give: patients, mean and sample variance (divisor count - 1). */
export interface GroupMoments {
  count: number;
  mean: number;
  variance: number;
}

/** The first group's mean less the second's, and the test that both are equal. */
export type MeanDifference = Estimate & Test;

/**
 * Student's t test of two groups, from their moments, as `t.test` of R and `ttest_ind_from_stats` of SciPy.
 *
 * Cells: count, sum and sum of squares of each group (`variance` by a variable). Student. Biometrika 1908;6:1-25;
 * Welch BL. Biometrika 1947;34:28-35; degrees of freedom by Satterthwaite FE. Biometrics Bull 1946;2:110-114.
 *
 * A one-sided `alternative` also makes the interval one-sided: its other bound is infinite, as in both.
 *
 * @param variances - `unequal` for Welch's test, the default; `equal` pools them.
 * @throws ClientError `STATISTIC_UNDEFINED` for groups of fewer than two, or without variance.
 */
export function tTest(
  first: GroupMoments,
  second: GroupMoments,
  {
    variances = 'unequal',
    alternative = 'two-sided',
    level = 0.95,
  }: { variances?: 'unequal' | 'equal'; alternative?: Alternative; level?: number } = {},
): MeanDifference {
  requireMoments('The t test', [first, second]);
  const { squaredError, degreesOfFreedom } =
    variances === 'equal' ? pooled(first, second) : welch(first, second);
  const standardError = Math.sqrt(squaredError);
  if (!(standardError > 0)) throw undefinedStatistic('The t test', 'no group varies');
  const estimate = first.mean - second.mean;
  const statistic = estimate / standardError;
  const reach = studentCritical(level, degreesOfFreedom, alternative) * standardError;
  return {
    estimate,
    standardError,
    ...intervalFor(alternative, estimate - reach, estimate + reach),
    statistic,
    degreesOfFreedom,
    pValue: symmetricP(statistic, alternative, (t) => studentUpperTail(t, degreesOfFreedom)),
  };
}

/**
 * The mean of one group with its standard error and Student's interval.
 *
 * @throws ClientError `STATISTIC_UNDEFINED` for a group of fewer than two.
 */
export function meanInterval(group: GroupMoments, level = 0.95): Estimate {
  requireMoments('The interval of a mean', [group]);
  const standardError = Math.sqrt(Math.max(0, group.variance) / group.count);
  const reach = studentCritical(level, group.count - 1) * standardError;
  return { estimate: group.mean, standardError, lower: group.mean - reach, upper: group.mean + reach };
}

interface Spread {
  squaredError: number;
  degreesOfFreedom: number;
}

function welch(first: GroupMoments, second: GroupMoments): Spread {
  const a = first.variance / first.count;
  const b = second.variance / second.count;
  return {
    squaredError: a + b,
    degreesOfFreedom: (a + b) ** 2 / (a ** 2 / (first.count - 1) + b ** 2 / (second.count - 1)),
  };
}

function pooled(first: GroupMoments, second: GroupMoments): Spread {
  const degreesOfFreedom = first.count + second.count - 2;
  const variance =
    ((first.count - 1) * first.variance + (second.count - 1) * second.variance) / degreesOfFreedom;
  return { squaredError: variance * (1 / first.count + 1 / second.count), degreesOfFreedom };
}

/** @throws ClientError `STATISTIC_UNDEFINED` */
export function requireMoments(statistic: string, groups: readonly GroupMoments[]): void {
  if (groups.some(({ count }) => !Number.isSafeInteger(count) || count < 2))
    throw undefinedStatistic(statistic, 'a group has fewer than two patients');
}
