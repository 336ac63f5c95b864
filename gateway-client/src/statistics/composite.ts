/** Composites of quality measures, as Get With The Guidelines - Stroke and the China Stroke Center Alliance report. */
import { requireCounts, total, undefinedStatistic, type Estimate } from './common.js';
import { proportion, type ProportionMethod } from './proportion.js';

/** One quality measure: how many patients it applied to, and in how many it was met. */
export interface QualityMeasure {
  name: string;
  eligible: number;
  met: number;
}

/** What a record says about one measure: met, not met, or null where it does not apply. */
export type MeasureOutcome = boolean | null;

/**
 * The opportunity-based composite: care that was given out of all that was called for, 0 to 1.
 *
 * Cells: for every measure its crosstab of eligible and met. Peterson ED et al. (composite
 * measures). Circulation 2010;121:1780-1791; Wang Y et al. (CSCA). Stroke Vasc Neurol 2018;3:256-262.
 *
 * @throws ClientError `STATISTIC_UNDEFINED` where nothing was called for.
 */
export function opportunityComposite(measures: readonly QualityMeasure[]): number {
  requireCounts(
    'The composite',
    measures.flatMap(({ eligible, met }) => [eligible, met]),
  );
  const opportunities = total(measures.map(({ eligible }) => eligible));
  if (opportunities === 0 || measures.some(({ eligible, met }) => met > eligible))
    throw undefinedStatistic(
      'The composite',
      'no measure applied, or one was met more often than it applied',
    );
  return total(measures.map(({ met }) => met)) / opportunities;
}

/**
 * The all-or-none composite: the share of patients who got everything that applied to them, with its interval.
 *
 * Cells: the counts by {@link patientComposite}'s `allMet`, a variable that is derived when records are loaded. Nolan
 * T, Berwick DM. JAMA 2006;295:1168-1170.
 */
export function allOrNone(
  allMet: number,
  patients: number,
  options: { level?: number; method?: ProportionMethod } = {},
): Estimate {
  return proportion(allMet, patients, options);
}

/**
 * A patient's own composites, derived when records are loaded; null where no measure applied.
 *
 * @returns the share of the applying measures that were met, 0 to 1, and whether all were.
 */
export function patientComposite(
  outcomes: readonly MeasureOutcome[],
): { share: number; allMet: boolean } | null {
  const applying = outcomes.filter((outcome) => outcome !== null);
  if (applying.length === 0) return null;
  const met = applying.filter(Boolean).length;
  return { share: met / applying.length, allMet: met === applying.length };
}
