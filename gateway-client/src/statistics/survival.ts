import { requireCounts, total, undefinedStatistic, type Interval } from './common.js';
import { normalCritical } from './distributions.js';

/** Patients whose observation ended in the interval that a grid point closes. */
export interface SurvivalPoint {
  time: number;
  events: number;
  /** Observed until here without the event; at risk until the end of the interval. */
  censored: number;
}

/** The cells of one group. */
export interface SurvivalCounts {
  /** Patients at the start. */
  patients: number;
  /** In rising order of time. */
  points: readonly SurvivalPoint[];
}

/** How the interval of a survival is made; as `conf.type` of R's `survfit`. */
export type SurvivalInterval = 'plain' | 'log' | 'logLog';

/** Survival behind one grid point. */
export interface SurvivalStep extends Interval, SurvivalPoint {
  atRisk: number;
  survival: number;
  /** Greenwood's. */
  standardError: number;
}

/**
 * The Kaplan-Meier estimate with Greenwood's error, which is not defined where nobody survives: both bounds are 0 there,
 * as in lifelines. Times count as the grid point that ends their interval, events
 * before censorings, so on a daily grid it is that of the days themselves.
 *
 * Cells: patients, and the events and censorings of every interval (`survival`). Kaplan EL, Meier P. J Am Stat Assoc
 * 1958;53:457-481; Greenwood M. Rep Public Health Med Subj 1926;33:1-26; Kalbfleisch JD, Prentice RL. The statistical
 * analysis of failure time data. Wiley 2002, section 1.4 (log-log). As `survfit` of R.
 *
 * @param interval - `logLog` stays between 0 and 1; `log` is R's default.
 * @throws ClientError `STATISTIC_UNDEFINED` for more ends than patients, or times that do not rise.
 */
export function kaplanMeier(
  { patients, points }: SurvivalCounts,
  { level = 0.95, interval = 'log' }: { level?: number; interval?: SurvivalInterval } = {},
): SurvivalStep[] {
  requireSurvival({ patients, points });
  const z = normalCritical(level);
  let atRisk = patients;
  let survival = 1;
  let greenwood = 0;
  return points.map((point) => {
    const step = { ...point, atRisk };
    if (point.events > 0) {
      survival *= 1 - point.events / atRisk;
      greenwood += point.events / (atRisk * (atRisk - point.events));
    }
    atRisk -= point.events + point.censored;
    // Nobody survives: the estimate is 0 and Greenwood's error is not defined.
    const relative = survival === 0 ? 0 : Math.sqrt(greenwood);
    return {
      ...step,
      survival,
      standardError: survival * relative,
      ...bounds(interval, survival, z * relative),
    };
  });
}

function bounds(interval: SurvivalInterval, survival: number, reach: number): Interval {
  if (survival === 0 || survival === 1) return { lower: survival, upper: survival };
  switch (interval) {
    case 'plain':
      return {
        lower: Math.max(0, survival * (1 - reach)),
        upper: Math.min(1, survival * (1 + reach)),
      };
    case 'log':
      return { lower: survival * Math.exp(-reach), upper: Math.min(1, survival * Math.exp(reach)) };
    case 'logLog': {
      const factor = Math.exp(reach / Math.log(survival));
      return { lower: survival ** (1 / factor), upper: survival ** factor };
    }
  }
}

/** Far above the rounding of a product of some hundred factors, far below one patient. */
const ROUNDING = 1e-9;

/**
 * The median survival: the first grid point with a survival of at most one half, and in the same way of the bounds;
 * absent where the curve or bound does not come down so far, or has no bound because nobody survives, as `survfit` of R.
 * Where the curve is one half along several points R takes the middle of them, lifelines the first, as here.
 * Brookmeyer R, Crowley J. Biometrics 1982;38:29-41.
 */
export function medianSurvival(
  steps: readonly SurvivalStep[],
): Record<'median' | 'lower' | 'upper', number | undefined> {
  // A product of survivals that is one half may come out a little above it.
  const isHalf = (survival: number): boolean => survival <= 0.5 + ROUNDING;
  const bounded = steps.filter(({ survival }) => survival > 0);
  return {
    median: steps.find(({ survival }) => isHalf(survival))?.time,
    lower: bounded.find(({ lower }) => isHalf(lower))?.time,
    upper: bounded.find(({ upper }) => isHalf(upper))?.time,
  };
}

/** @throws ClientError `STATISTIC_UNDEFINED` */
export function requireSurvival({ patients, points }: SurvivalCounts): void {
  const ends = points.map(({ events, censored }) => events + censored);
  requireCounts('Survival', [patients, ...points.flatMap(({ events, censored }) => [events, censored])]);
  if (patients === 0 || total(ends) > patients)
    throw undefinedStatistic('Survival', 'there are no patients, or fewer than ends of observation');
  if (points.some(({ time }, i) => i > 0 && time <= (points[i - 1]?.time ?? 0)))
    throw undefinedStatistic('Survival', 'the times do not rise');
}
