import { requireCounts, undefinedStatistic, type Estimate, type Test } from './common.js';
import { normalCritical, normalUpperTail, symmetricP, type Alternative } from './distributions.js';
import type { TwoByTwo } from './odds-ratio.js';
import { score } from './proportion.js';

/** A risk ratio; the standard error is that of its logarithm. */
export type RiskRatio = Omit<Estimate, 'standardError'> & { logStandardError: number };

/**
 * The ratio of the exposed patients' risk to the others', with the interval of its logarithm.
 *
 * Cells: the four counts of a crosstab. Katz D et al. Biometrics 1978;34:469-474. Same figures as `riskratio.wald` of
 * R's epitools and `Table2x2.riskratio` of statsmodels, which adds 0.5 to all cells where any is empty.
 *
 * @throws ClientError `STATISTIC_UNDEFINED` for an empty group, or one without an event.
 */
export function riskRatio(table: TwoByTwo, level = 0.95): RiskRatio {
  const { p1, n1, p2, n2 } = risksOf('The risk ratio', table);
  if (p1 === 0 || p2 === 0) throw undefinedStatistic('The risk ratio', 'a group has no event');
  const estimate = p1 / p2;
  const logStandardError = Math.sqrt((1 - p1) / (n1 * p1) + (1 - p2) / (n2 * p2));
  const reach = normalCritical(level) * logStandardError;
  return {
    estimate,
    lower: estimate * Math.exp(-reach),
    upper: estimate * Math.exp(reach),
    logStandardError,
  };
}

/** How the interval of a risk difference is made; names in statsmodels' `confint_proportions_2indep` in brackets. */
export type DifferenceMethod =
  /** From Wilson's intervals of both risks (newcomb). Newcombe RG. Stat Med 1998;17:873-890, method 10. The default. */
  | 'newcombe'
  /** Estimate plus and minus normal standard errors (wald). */
  | 'wald'
  /** Wald's interval with a success and a failure added to both groups (agresti-caffo). Am Stat 2000;54:280-288. */
  | 'agrestiCaffo';

/**
 * The exposed patients' risk less the others'. Times 1000: events more in 1000 patients.
 *
 * Cells: the four counts of a crosstab.
 *
 * @throws ClientError `STATISTIC_UNDEFINED` for an empty group.
 */
export function riskDifference(
  table: TwoByTwo,
  { level = 0.95, method = 'newcombe' }: { level?: number; method?: DifferenceMethod } = {},
): Estimate {
  const { p1, n1, p2, n2 } = risksOf('The risk difference', table);
  const z = normalCritical(level);
  const estimate = p1 - p2;
  const standardError = errorOf(p1, n1, p2, n2);
  switch (method) {
    case 'wald':
      return {
        estimate,
        standardError,
        lower: Math.max(-1, estimate - z * standardError),
        upper: Math.min(1, estimate + z * standardError),
      };
    case 'newcombe': {
      const first = score(p1, n1, z);
      const second = score(p2, n2, z);
      return {
        estimate,
        standardError,
        lower: estimate - Math.hypot(p1 - first.lower, second.upper - p2),
        upper: estimate + Math.hypot(first.upper - p1, p2 - second.lower),
      };
    }
    case 'agrestiCaffo': {
      const [q1, m1] = [(p1 * n1 + 1) / (n1 + 2), n1 + 2];
      const [q2, m2] = [(p2 * n2 + 1) / (n2 + 2), n2 + 2];
      const reach = z * errorOf(q1, m1, q2, m2);
      return {
        estimate,
        standardError,
        lower: Math.max(-1, q1 - q2 - reach),
        upper: Math.min(1, q1 - q2 + reach),
      };
    }
  }
}

/**
 * The z test of equal risks with the pooled variance, whose square is the chi-square statistic without correction.
 *
 * Cells: the four counts of a crosstab. As `proportions_ztest` of statsmodels and `prop.test(correct=FALSE)` of R.
 *
 * @throws ClientError `STATISTIC_UNDEFINED` for an empty row or column.
 */
export function twoProportionTest(
  table: TwoByTwo,
  alternative: Alternative = 'two-sided',
): Omit<Test, 'degreesOfFreedom'> {
  const { p1, n1, p2, n2 } = risksOf('The z test', table);
  const pooled = (p1 * n1 + p2 * n2) / (n1 + n2);
  if (pooled === 0 || pooled === 1)
    throw undefinedStatistic('The z test', 'all patients or none have the event');
  const statistic = (p1 - p2) / Math.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2));
  return { statistic, pValue: symmetricP(statistic, alternative, normalUpperTail) };
}

function errorOf(p1: number, n1: number, p2: number, n2: number): number {
  return Math.sqrt((p1 * (1 - p1)) / n1 + (p2 * (1 - p2)) / n2);
}

function risksOf(
  statistic: string,
  { exposedEvent, exposedNone, unexposedEvent, unexposedNone }: TwoByTwo,
): Record<'p1' | 'n1' | 'p2' | 'n2', number> {
  requireCounts(statistic, [exposedEvent, exposedNone, unexposedEvent, unexposedNone]);
  const n1 = exposedEvent + exposedNone;
  const n2 = unexposedEvent + unexposedNone;
  if (n1 === 0 || n2 === 0) throw undefinedStatistic(statistic, 'a group is empty');
  return { p1: exposedEvent / n1, n1, p2: unexposedEvent / n2, n2 };
}
