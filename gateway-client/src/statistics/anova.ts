import { total, undefinedStatistic } from './common.js';
import { fUpperTail } from './distributions.js';
import { requireMoments, type GroupMoments } from './t-test.js';

/** An F test that several groups have one mean. */
export interface Anova {
  statistic: number;
  degreesOfFreedom: [numerator: number, denominator: number];
  pValue: number;
}

/** The table of a one-way analysis of variance. */
export interface AnovaTable extends Anova {
  sumOfSquares: { between: number; within: number };
  /** Share of the variation that is between the groups. */
  etaSquared: number;
}

/**
 * One-way analysis of variance from the groups' moments, as `aov` of R and `f_oneway` of SciPy.
 *
 * Cells: count, sum and sum of squares of each group (`variance` by a variable). Fisher RA. Statistical methods for
 * research workers. Oliver and Boyd 1925, chapter 7.
 *
 * @throws ClientError `STATISTIC_UNDEFINED` for fewer than two groups, a group of fewer than two, or no variance.
 */
export function anova(groups: readonly GroupMoments[]): AnovaTable {
  const patients = checkedPatients(groups);
  const grand = total(groups.map(({ count, mean }) => count * mean)) / patients;
  const between = total(groups.map(({ count, mean }) => count * (mean - grand) ** 2));
  const within = total(groups.map(({ count, variance }) => (count - 1) * variance));
  const degrees: [number, number] = [groups.length - 1, patients - groups.length];
  if (!(within > 0)) throw undefinedStatistic('The analysis of variance', 'no group varies');
  const statistic = between / degrees[0] / (within / degrees[1]);
  return {
    statistic,
    degreesOfFreedom: degrees,
    pValue: fUpperTail(statistic, ...degrees),
    sumOfSquares: { between, within },
    etaSquared: between / (between + within),
  };
}

/**
 * Welch's test of equal means where variances differ, as `oneway.test` of R and `anova_oneway(use_var='unequal')` of
 * statsmodels. Welch BL. Biometrika 1951;38:330-336.
 *
 * @throws ClientError `STATISTIC_UNDEFINED` as {@link anova}, and for a group without variance.
 */
export function welchAnova(groups: readonly GroupMoments[]): Anova {
  checkedPatients(groups);
  if (groups.some(({ variance }) => !(variance > 0)))
    throw undefinedStatistic("Welch's analysis of variance", 'a group does not vary');
  const k = groups.length;
  const weights = groups.map(({ count, variance }) => count / variance);
  const all = total(weights);
  const centre = total(groups.map(({ mean }, i) => (weights[i] ?? 0) * mean)) / all;
  const spread = total(groups.map(({ mean }, i) => (weights[i] ?? 0) * (mean - centre) ** 2)) / (k - 1);
  const lambda = total(groups.map(({ count }, i) => (1 - (weights[i] ?? 0) / all) ** 2 / (count - 1)));
  const statistic = spread / (1 + (2 * (k - 2) * lambda) / (k * k - 1));
  const degrees: [number, number] = [k - 1, (k * k - 1) / (3 * lambda)];
  return { statistic, degreesOfFreedom: degrees, pValue: fUpperTail(statistic, ...degrees) };
}

function checkedPatients(groups: readonly GroupMoments[]): number {
  if (groups.length < 2) throw undefinedStatistic('The analysis of variance', 'it needs two groups or more');
  requireMoments('The analysis of variance', groups);
  return total(groups.map(({ count }) => count));
}
