import { total, undefinedStatistic, type Estimate, type Test } from './common.js';
import { chiSquareUpperTail, normalCritical, normalUpperTail } from './distributions.js';

/** The estimate of one centre: on a scale where errors add, such as a logarithm of an odds ratio. */
export interface StudyEstimate {
  estimate: number;
  standardError: number;
}

/** A pooled estimate within centres. */
export interface FixedEffect extends Estimate {
  statistic: number;
  pValue: number;
  /** Share of each centre in the pooled estimate. */
  weights: number[];
  /** Cochran's Q, the test that all centres estimate the same, and I^2, the share of variation beyond chance. */
  heterogeneity: Test & { iSquared: number };
}

/**
 * Fixed-effect meta-analysis by inverse variances, as `metagen(common=TRUE)` of R's meta and `combine_effects` of
 * statsmodels.
 *
 * Cells: those of each centre's estimate (a crosstab by centre). Cochran WG. Biometrics 1954;10:101-129; Higgins JPT,
 * Thompson SG. Stat Med 2002;21:1539-1558.
 *
 * @throws ClientError `STATISTIC_UNDEFINED` for fewer than two estimates, or a standard error that is not positive.
 */
export function fixedEffect(studies: readonly StudyEstimate[], level = 0.95): FixedEffect {
  if (studies.length < 2) throw undefinedStatistic('The pooled estimate', 'there are fewer than two centres');
  if (studies.some(({ standardError }) => !(standardError > 0 && Number.isFinite(standardError))))
    throw undefinedStatistic('The pooled estimate', 'a centre has no standard error');
  const raw = studies.map(({ standardError }) => standardError ** -2);
  const all = total(raw);
  const estimate = total(studies.map((study, i) => study.estimate * (raw[i] ?? 0))) / all;
  const standardError = Math.sqrt(1 / all);
  const reach = normalCritical(level) * standardError;
  const q = total(studies.map((study, i) => (raw[i] ?? 0) * (study.estimate - estimate) ** 2));
  const degreesOfFreedom = studies.length - 1;
  const statistic = estimate / standardError;
  return {
    estimate,
    standardError,
    lower: estimate - reach,
    upper: estimate + reach,
    statistic,
    pValue: 2 * normalUpperTail(Math.abs(statistic)),
    weights: raw.map((weight) => weight / all),
    heterogeneity: {
      statistic: q,
      degreesOfFreedom,
      pValue: chiSquareUpperTail(q, degreesOfFreedom),
      iSquared: q > degreesOfFreedom ? (q - degreesOfFreedom) / q : 0,
    },
  };
}
