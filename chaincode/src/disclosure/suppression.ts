/**
 * Which counts may be released, beside each other and beside what the same affiliation has had before. A count below
 * the minimum stays hidden only if it cannot be computed from others:
 *
 * - total less parts: the parts of one variable are apart from each other, so a total less its visible parts is the
 *   number of everybody else. It must be none or at least the minimum, and never a single hidden part;
 * - differencing: of a cohort within another, the difference is a cohort, too; it must be empty or have the minimum;
 * - versions: the same cohort in two versions of a dataset differs by whoever came and went;
 * - overlaps: where the same number is summed over two cohorts that overlap otherwise, whoever is in one of them alone
 *   is none or at least the minimum, by the count of what they have in common.
 *
 * Contracts and agents judge by the same function. Cohorts that are themselves differences of others, and sums of more
 * than one variable's parts, are not looked at. Source: Hundepool et al., "Statistical Disclosure Control" (Wiley,
 * 2012), chapters 4 and 5.
 */
import { byText } from '../api/canonical.js';
import {
  type Cohort,
  cohortKey,
  indicatorsOf,
  sameInOtherVersions,
  splitVariable,
  within,
} from './cohorts.js';
import { commonPart, overlaps } from './comparisons.js';

/** One count that is asked for. Its number is absent where it is hidden already, or withheld. */
export interface AskedCount extends Cohort {
  readonly count?: number;
}
/** One count that was released before. */
export interface KnownCount extends Cohort {
  readonly count: number;
}

/** A total and its parts by one variable. */
interface Equation {
  total: string;
  /** Keys of cohorts that are apart from each other. */
  parts: string[];
}

/**
 * The cells that may be released.
 * @param minimum the minimum cohort
 * @param known counts of earlier jobs: they are out, whatever is decided here
 * @param compared further cells that the committee opened among itself, with their counts where these are known here:
 * a contract relies on the committee's verdicts
 */
export function releasable(
  asked: readonly AskedCount[],
  minimum: number,
  known: readonly KnownCount[] = [],
  compared: ReadonlyMap<string, number | undefined> = new Map(),
): Set<string> {
  const commons = commonCounts(asked, known, compared);
  const numbers = new Map<string, number>();
  const fixed = new Set<string>();
  const names = new Map<string, string>();
  for (const cohort of known) {
    numbers.set(keyOf(cohort), cohort.count);
    fixed.add(keyOf(cohort));
  }
  const mine = asked.filter((cohort) => !fixed.has(keyOf(cohort)));
  for (const cohort of mine) {
    names.set(keyOf(cohort), cohort.cell);
    if (cohort.count !== undefined && cohort.count >= minimum) numbers.set(keyOf(cohort), cohort.count);
  }
  const hide = (candidates: readonly string[]): boolean => {
    const [smallest] = candidates
      .filter((key) => numbers.has(key) && !fixed.has(key))
      .sort((a, b) => (numbers.get(a) ?? 0) - (numbers.get(b) ?? 0) || byText(a, b));
    return smallest !== undefined && numbers.delete(smallest);
  };
  for (const [a, b] of closePairs(mine, known, minimum, commons))
    if (numbers.has(a) && numbers.has(b)) hide([a, b]);
  const equations = equationsOf([...mine, ...known]);
  for (let changed = true; changed;)
    changed = equations.some(
      (equation) =>
        isSolvable(equation, numbers, names, minimum) && (hide(equation.parts) || hide([equation.total])),
    );
  return new Set(
    asked
      .filter(({ cell, count, ...rest }) => {
        const key = keyOf({ cell, ...rest });
        return fixed.has(key) ? (count ?? minimum) >= minimum : numbers.has(key);
      })
      .map(({ cell }) => cell),
  );
}

const keyOf = ({ cell, data }: Pick<Cohort, 'cell' | 'data'>): string => cohortKey(indicatorsOf(cell), data);

/** What is known of the sizes of cohorts, by key; undefined where the committee knows it and this place does not. */
type Counts = ReadonlyMap<string, number | undefined>;

function commonCounts(
  asked: readonly AskedCount[],
  known: readonly KnownCount[],
  compared: ReadonlyMap<string, number | undefined>,
): Counts {
  const data = asked[0]?.data ?? {};
  const all = [...compared].map(([cell, count]): [string, number | undefined] => [
    cohortKey(indicatorsOf(cell), data),
    count,
  ]);
  for (const cohort of [...asked, ...known])
    if (cohort.count !== undefined) all.push([keyOf(cohort), cohort.count]);
  return new Map(all);
}

/** Pairs of cohorts whose difference is too small, the new one or the smaller one first. */
function closePairs(
  mine: readonly AskedCount[],
  known: readonly KnownCount[],
  minimum: number,
  commons: Counts,
): [string, string][] {
  const pairs: [string, string][] = [];
  const isClose = (a: AskedCount, b: AskedCount): boolean => {
    if (a.count === undefined || b.count === undefined) return false;
    const difference = Math.abs(b.count - a.count);
    if (difference >= minimum) return false;
    if (sameInOtherVersions(a, b)) return true;
    const how = within(a, b) ?? within(b, a);
    if (how === undefined) return overlaps(a, b) && differsByFew(a.count + b.count, commonPart(a, b));
    if (difference === 0) return false;
    // How many values are missing is no secret; a number over them would be.
    return how === 'conditions' || (how === 'missing' && a.numbers.some((name) => b.numbers.includes(name)));
  };
  /** What could not be counted may be few. */
  const differsByFew = (together: number, common: ReturnType<typeof commonPart>): boolean => {
    const key = common && keyOf(common);
    if (key === undefined || !commons.has(key)) return true;
    const count = commons.get(key);
    const apart = count === undefined ? undefined : together - 2 * count;
    return apart !== undefined && apart !== 0 && apart < minimum;
  };
  const ordered = [...mine].sort((a, b) => (a.count ?? 0) - (b.count ?? 0) || byText(a.cell, b.cell));
  ordered.forEach((a, i) => {
    for (const b of [...known, ...ordered.slice(i + 1)]) if (isClose(a, b)) pairs.push([keyOf(a), keyOf(b)]);
  });
  return pairs;
}

/** Whether total and parts give away a number that is hidden, or too small a rest. */
function isSolvable(
  { total, parts }: Equation,
  numbers: ReadonlyMap<string, number>,
  asked: ReadonlyMap<string, string>,
  minimum: number,
): boolean {
  const visible = parts.filter((key) => numbers.has(key));
  const hidden = parts.filter((key) => !numbers.has(key) && asked.has(key));
  const whole = numbers.get(total);
  if (visible.length === 0) return false;
  if (whole === undefined) return asked.has(total) && hidden.length === 0;
  const rest = whole - visible.reduce((sum, key) => sum + (numbers.get(key) ?? 0), 0);
  return hidden.length > 0 ? hidden.length === 1 || rest < minimum : rest !== 0 && rest < minimum;
}

/** A cell that is the one hidden part of a total that passes, if there is one. */
export function lonelyGap(asked: readonly Cohort[], passing: ReadonlySet<string>): string | undefined {
  const byKey = new Map(asked.map((cohort) => [keyOf(cohort), cohort.cell]));
  const passes = (key: string): boolean => passing.has(byKey.get(key) ?? '');
  for (const { total, parts } of equationsOf(asked)) {
    const [gap, ...others] = parts.filter((key) => !passes(key));
    const isLonely = gap !== undefined && others.length === 0 && parts.length > 1;
    if (isLonely && passes(total)) return byKey.get(gap);
  }
  return undefined;
}

function equationsOf(cohorts: readonly Cohort[]): Equation[] {
  const there = new Set(cohorts.map(keyOf));
  const equations = new Map<string, Equation>();
  for (const part of cohorts) {
    const indicators = indicatorsOf(part.cell);
    for (const column of indicators) {
      const variable = splitVariable(column);
      if (variable === undefined) continue;
      const others = indicators.filter((name) => name !== column);
      for (const base of [others, [...others, `${variable}:valid`]]) {
        const total = cohortKey(base, part.data);
        if (!there.has(total)) continue;
        const name = JSON.stringify([total, variable]);
        const equation = equations.get(name) ?? { total, parts: [] };
        const key = keyOf(part);
        if (!equation.parts.includes(key)) equation.parts.push(key);
        equations.set(name, equation);
      }
    }
  }
  return [...equations.values()];
}
