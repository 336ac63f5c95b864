import { requireCounts, total, undefinedStatistic, type Test } from './common.js';
import { chiSquareUpperTail } from './distributions.js';

/** A table of counts, row by row. */
export type CountTable = readonly (readonly number[])[];

/** The chi-square test of a table. */
export interface ChiSquare extends Test {
  /** Counts to be expected where rows and columns are independent. */
  expected: number[][];
  /** Whether Yates' correction was made. */
  corrected: boolean;
  /** Cramer's V, from the uncorrected statistic: 0 none, 1 full association. */
  cramersV: number;
}

/**
 * Pearson's chi-square test of independence, as `chisq.test` of R and `chi2_contingency` of SciPy.
 *
 * Cells: the counts of a crosstab. Pearson K. Philos Mag 1900;50:157-175; Yates F. J R Stat Soc Suppl 1934;1:217-235.
 *
 * @param yates - takes 0.5, or the difference where that is less, off every difference of a 2x2 table; R and SciPy do
 *   so unless told otherwise.
 * @throws ClientError `STATISTIC_UNDEFINED` for an empty row or column, or `yates` on a larger table.
 */
export function chiSquare(table: CountTable, { yates = false }: { yates?: boolean } = {}): ChiSquare {
  const { rows, columns, patients } = marginsOf(table);
  const expected = rows.map((row) => columns.map((column) => (row * column) / patients));
  const isTwoByTwo = rows.length === 2 && columns.length === 2;
  if (yates && !isTwoByTwo)
    throw undefinedStatistic("Yates' correction", 'the table has more than two rows or columns');
  const sum = (correction: boolean): number =>
    total(
      table.flatMap((row, i) =>
        row.map((observed, j) => {
          const e = expected[i]?.[j] ?? 0;
          const difference = Math.abs(observed - e);
          return (difference - (correction ? Math.min(0.5, difference) : 0)) ** 2 / e;
        }),
      ),
    );
  const statistic = sum(yates);
  const degreesOfFreedom = (rows.length - 1) * (columns.length - 1);
  return {
    statistic,
    degreesOfFreedom,
    pValue: chiSquareUpperTail(statistic, degreesOfFreedom),
    expected,
    corrected: yates,
    cramersV: Math.sqrt(sum(false) / (patients * (Math.min(rows.length, columns.length) - 1))),
  };
}

function marginsOf(table: CountTable): { rows: number[]; columns: number[]; patients: number } {
  const width = table[0]?.length ?? 0;
  requireCounts('The chi-square test', table.flat());
  const rows = table.map(total);
  const columns = Array.from({ length: width }, (_, j) => total(table.map((row) => row[j] ?? 0)));
  if (rows.length < 2 || width < 2 || table.some((row) => row.length !== width))
    throw undefinedStatistic('The chi-square test', 'it needs at least two rows and two columns');
  if ([...rows, ...columns].includes(0))
    throw undefinedStatistic('The chi-square test', 'a row or a column is empty');
  return { rows, columns, patients: total(rows) };
}
