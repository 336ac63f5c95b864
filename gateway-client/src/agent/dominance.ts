/**
 * The dominance rule for sums, the p% rule: a sum is withheld where the second largest contributor could compute the
 * largest contribution to within p percent, by taking its own and the largest away. Each owner asks it of its own
 * records, so a patient who dominates only over all institutions together is dominated less.
 *
 * Source: Hundepool et al., "Statistical Disclosure Control" (Wiley, 2012), section 4.2.2.
 */
import type { AnalysisPlan, ColumnBatch, PlanCell } from '@strokeshare/fhe';
import { ClientError } from '../errors.js';

/** Whether somebody contributes so much that a sum gives it away. */
export function isDominated(contributions: readonly number[], percent: number): boolean {
  const sizes = contributions.map(Math.abs).sort((a, b) => b - a);
  const [largest = 0, second = 0] = sizes;
  const rest = sizes.reduce((sum, size) => sum + size, 0) - largest - second;
  return largest > 0 && rest < (percent / 100) * largest;
}

/** What every own patient of a value cell's cohort contributes, in the variables' own units. */
export function contributionsTo(
  { factors }: Pick<PlanCell, 'factors'>,
  { scaling }: Pick<AnalysisPlan, 'scaling'>,
  batches: readonly ColumnBatch[],
): number[] {
  const numbers = factors.filter((name) => scaling[name]);
  const indicators = factors.filter((name) => !scaling[name]);
  return batches.flatMap(({ columns, rows }) => {
    const column = (name: string): Float64Array => {
      const values = columns.get(name);
      if (!values) throw new ClientError('COLUMN_MISSING', `The own records have no column ${name}.`);
      return values;
    };
    // A number that is not recorded is packed as 0, and nothing is contributed.
    const present = numbers
      .map((name) => columns.get(`${name}:valid`))
      .filter((valid) => valid !== undefined);
    const members = [...indicators.map(column), ...present];
    const scaled = numbers.map((name) => {
      const { middle = 0, half = 1 } = scaling[name] ?? {};
      const values = column(name);
      return (row: number): number => middle + half * (values[row] ?? 0);
    });
    return Array.from({ length: rows }, (_, row) => row)
      .filter((row) => members.every((values) => values[row] === 1))
      .map((row) => scaled.reduce((product, value) => product * value(row), 1));
  });
}
