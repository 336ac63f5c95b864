import { requireCounts, undefinedStatistic, type Estimate, type Interval } from './common.js';
import { betaQuantile, checkedLevel, normalCritical } from './distributions.js';

/** How the interval of a proportion is made; names in statsmodels' `proportion_confint` in brackets. */
export type ProportionMethod =
  /** Wilson's score interval (wilson). Wilson EB. J Am Stat Assoc 1927;22:209-212. The default. */
  | 'wilson'
  /** The same with continuity correction, as `prop.test` of R. Newcombe RG. Stat Med 1998;17:857-872, method 4. */
  | 'wilsonCorrected'
  /** Estimate plus and minus normal standard errors (normal). */
  | 'wald'
  /** Wald's interval with z^2/2 successes and failures added (agresti_coull). Am Stat 1998;52:119-126. */
  | 'agrestiCoull'
  /** The exact interval (beta), as `binom.test` of R. Clopper CJ, Pearson ES. Biometrika 1934;26:404-413. */
  | 'clopperPearson'
  /**
   * Quantiles of the posterior under Jeffreys' prior (jeffreys), but 0 without an event and 1 without another patient, as
   * Brown LD et al. advise; statsmodels takes the quantile there too. Stat Sci 2001;16:101-133.
   */
  | 'jeffreys';

/**
 * The proportion of patients with an event.
 *
 * Cells: the count of events and that of all patients of the group.
 *
 * @throws ClientError `STATISTIC_UNDEFINED` for an empty group or more events than patients.
 */
export function proportion(
  events: number,
  patients: number,
  { level = 0.95, method = 'wilson' }: { level?: number; method?: ProportionMethod } = {},
): Estimate {
  requireCounts('The proportion', [events, patients]);
  if (patients === 0 || events > patients)
    throw undefinedStatistic('The proportion', 'there are no patients, or fewer than events');
  const estimate = events / patients;
  const standardError = Math.sqrt((estimate * (1 - estimate)) / patients);
  return { estimate, standardError, ...intervalOf(method, events, patients, level) };
}

function intervalOf(method: ProportionMethod, events: number, patients: number, level: number): Interval {
  const p = events / patients;
  const z = normalCritical(level);
  switch (method) {
    case 'wilson':
      return clipped(score(p, patients, z));
    case 'wilsonCorrected':
      return scoreCorrected(p, patients, z);
    case 'wald':
      return clipped(around(p, z * Math.sqrt((p * (1 - p)) / patients)));
    case 'agrestiCoull': {
      const more = patients + z * z;
      const shifted = (events + (z * z) / 2) / more;
      return clipped(around(shifted, z * Math.sqrt((shifted * (1 - shifted)) / more)));
    }
    case 'clopperPearson':
      return betaInterval([events, patients - events + 1], [events + 1, patients - events], level);
    case 'jeffreys': {
      const shape: Shape = [events + 0.5, patients - events + 0.5];
      return betaInterval(shape, shape, level);
    }
  }
}

function around(middle: number, reach: number): Interval {
  return { lower: middle - reach, upper: middle + reach };
}

function clipped({ lower, upper }: Interval): Interval {
  return { lower: Math.max(0, lower), upper: Math.min(1, upper) };
}

/** Wilson's interval, unclipped. */
export function score(p: number, patients: number, z: number): Interval {
  const scale = 1 + (z * z) / patients;
  const middle = (p + (z * z) / (2 * patients)) / scale;
  const reach = (z / scale) * Math.sqrt((p * (1 - p)) / patients + (z * z) / (4 * patients * patients));
  return around(middle, reach);
}

function scoreCorrected(p: number, n: number, z: number): Interval {
  const scale = 2 * (n + z * z);
  const base = 2 * n * p + z * z;
  const below = z * Math.sqrt(z * z - 2 - 1 / n + 4 * p * (n * (1 - p) + 1));
  const above = z * Math.sqrt(z * z + 2 - 1 / n + 4 * p * (n * (1 - p) - 1));
  return {
    lower: p === 0 ? 0 : Math.max(0, (base - 1 - below) / scale),
    upper: p === 1 ? 1 : Math.min(1, (base + 1 + above) / scale),
  };
}

type Shape = readonly [a: number, b: number];

function betaInterval([a, b]: Shape, [c, d]: Shape, level: number): Interval {
  const tail = (1 - checkedLevel(level)) / 2;
  return {
    lower: a <= 0.5 ? 0 : betaQuantile(tail, a, b),
    upper: d <= 0.5 ? 1 : betaQuantile(1 - tail, c, d),
  };
}
