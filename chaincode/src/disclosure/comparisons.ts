/**
 * Cohorts that overlap without one lying within the other. The difference of two sums over them is a signed sum over
 * whoever is in one and not in the other; where these are few, it is about few patients. How many they are follows
 * from the two counts and from the count of what the cohorts have in common, which is a product of indicator columns
 * again: a comparison. Only the committee opens it.
 */
import { byText } from '../api/canonical.js';
import {
  type Cohort,
  cohortKey,
  indicatorsOf,
  isImplied,
  sameInOtherVersions,
  splitVariable,
  within,
} from './cohorts.js';

/** So many counts a job carries for comparison at most. What is not compared is hidden where counts are close. */
export const MAXIMUM_COMPARISONS = 32;

/** Whether a sum over both could be taken from each other: the same number, and patients who may be in both. */
export function overlaps(a: Cohort, b: Cohort): boolean {
  return (
    a.numbers.some((name) => b.numbers.includes(name)) &&
    Object.keys(a.data).some((id) => Object.hasOwn(b.data, id)) &&
    !areApart(indicatorsOf(a.cell), indicatorsOf(b.cell)) &&
    !sameInOtherVersions(a, b) &&
    within(a, b) === undefined &&
    within(b, a) === undefined
  );
}

/** Whether nobody is in both: they have different levels (or intervals) of one variable. */
function areApart(one: readonly string[], other: readonly string[]): boolean {
  const columns = new Map(one.map((column) => [splitVariable(column), column]));
  return other.some((column) => {
    const variable = splitVariable(column);
    const mine = variable === undefined ? undefined : columns.get(variable);
    return mine !== undefined && mine !== column;
  });
}

/** What two cohorts have in common, as one; undefined where the versions of their datasets do not say. */
export function commonPart(a: Cohort, b: Cohort): Pick<Cohort, 'cell' | 'data'> | undefined {
  const lies = (one: Cohort, other: Cohort): boolean =>
    Object.entries(one.data).every(([id, root]) => other.data[id] === root);
  const data = lies(a, b) ? a.data : lies(b, a) ? b.data : undefined;
  if (!data) return undefined;
  const all = new Set([...indicatorsOf(a.cell), ...indicatorsOf(b.cell)]);
  const needed = [...all].filter((column) => !isImplied(column, all));
  return { cell: needed.sort(byText).join('*'), data };
}

/**
 * The comparisons that a job has to carry, those of the fewest columns first.
 * @param known what the affiliation has had of the datasets before
 * @param factors the most that a product may have
 */
export function comparisonsFor(
  asked: readonly Cohort[],
  known: readonly Cohort[],
  factors: number,
): string[] {
  const counted = new Set(asked.map(keyOf));
  const others = [...new Map([...known, ...asked].map((cohort) => [identityOf(cohort), cohort])).values()];
  const wanted = new Map<string, number>();
  for (const a of asked)
    for (const b of others) {
      if (!overlaps(a, b)) continue;
      const common = commonPart(a, b);
      // A job counts over all of its datasets.
      if (!common || cohortKey([], common.data) !== cohortKey([], a.data)) continue;
      const size = indicatorsOf(common.cell).length;
      if (size <= factors && !counted.has(keyOf(common))) wanted.set(common.cell, size);
    }
  return [...wanted]
    .sort(([a, m], [b, n]) => m - n || byText(a, b))
    .slice(0, MAXIMUM_COMPARISONS)
    .map(([cell]) => cell);
}

const keyOf = ({ cell, data }: Pick<Cohort, 'cell' | 'data'>): string => cohortKey(indicatorsOf(cell), data);
const identityOf = (cohort: Cohort): string => `${keyOf(cohort)} ${cohort.numbers.join(' ')}`;
