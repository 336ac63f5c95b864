import { undefinedStatistic, type Interval, type Test } from './common.js';
import {
  intervalFor,
  normalCritical,
  studentUpperTail,
  symmetricP,
  type Alternative,
} from './distributions.js';

/** Sums over the patients that have both numbers, in any unit: a correlation does not depend on it. */
export interface JointSums {
  count: number;
  sum: number;
  squares: number;
  otherSum: number;
  otherSquares: number;
  product: number;
}

/** Pearson's correlation, its interval and the test that it is 0. */
export interface Correlation extends Interval, Test {
  estimate: number;
}

/**
 * Pearson's correlation with Fisher's interval (one-sided with a one-sided `alternative`), as `cor.test` of R and `pearsonr` of SciPy.
 *
 * Cells: count, both sums, both sums of squares and the sum of products (`correlation`). Fisher RA. Biometrika
 * 1915;10:507-521 and Metron 1921;1:3-32.
 *
 * @throws ClientError `STATISTIC_UNDEFINED` for fewer than four patients, or a number without variance.
 */
export function correlation(
  sums: JointSums,
  { level = 0.95, alternative = 'two-sided' }: { level?: number; alternative?: Alternative } = {},
): Correlation {
  const { count, sum, squares, otherSum, otherSquares, product } = sums;
  if (count < 4) throw undefinedStatistic('The correlation', 'there are fewer than four patients');
  const variation = squares - (sum * sum) / count;
  const otherVariation = otherSquares - (otherSum * otherSum) / count;
  if (!(variation > 0 && otherVariation > 0))
    throw undefinedStatistic('The correlation', 'a number does not vary');
  const raw = (product - (sum * otherSum) / count) / Math.sqrt(variation * otherVariation);
  const estimate = Math.min(1, Math.max(-1, raw));
  const degreesOfFreedom = count - 2;
  const statistic = estimate * Math.sqrt(degreesOfFreedom / (1 - estimate * estimate));
  const reach = normalCritical(level, alternative) / Math.sqrt(count - 3);
  const centre = Math.atanh(estimate);
  const { lower, upper } = intervalFor(alternative, centre - reach, centre + reach);
  return {
    estimate,
    lower: Math.tanh(lower),
    upper: Math.tanh(upper),
    statistic,
    degreesOfFreedom,
    pValue: symmetricP(statistic, alternative, (t) => studentUpperTail(t, degreesOfFreedom)),
  };
}

/**
 * The matrix of correlations of several numbers.
 *
 * @param sums - of the pair `names[i]`, `names[j]` for i < j.
 * @returns symmetric, ones on the diagonal.
 */
export function correlationMatrix(
  names: readonly string[],
  sums: (first: string, second: string) => JointSums,
): number[][] {
  return names.map((row, i) =>
    names.map((column, j) => {
      if (i === j) return 1;
      return correlation(i < j ? sums(row, column) : sums(column, row)).estimate;
    }),
  );
}
