/** Counts that disclosure control needs beside what a query asks for: of what two cohorts have in common. */
import { FheError } from '../errors.js';
import { variableColumns } from '../schema/columns.js';
import { type Variable } from '../schema/schema.js';
import { type Monomial } from './compile.js';

/** A level, an interval of a grid, or that a value is there; of the variable named first. */
const INDICATOR = /^([A-Za-z0-9_]+)(?:=|:)/;

const variableOf = (column: string): string => {
  const [, name] = INDICATOR.exec(column) ?? [];
  if (name === undefined) throw invalid(`${column} is no indicator column`);
  return name;
};

/** The variables that comparisons are about. */
export const comparedVariables = (comparisons: readonly string[]): string[] => [
  ...new Set(comparisons.flatMap((id) => id.split('*').map(variableOf))),
];

/**
 * Cells of comparisons; what the query counts itself needs no second cell.
 * @param comparisons indicator columns, sorted and joined by `*`
 * @throws FheError PLAN_INVALID
 */
export function compileComparisons(
  comparisons: readonly string[],
  asked: readonly Monomial[],
  variables: ReadonlyMap<string, Variable>,
): Monomial[] {
  const taken = new Set(asked.map(({ id }) => id));
  return comparisons.map((id): Monomial => {
    const factors = id.split('*');
    for (const column of factors) {
      const variable = variables.get(variableOf(column));
      if (!variable || !variableColumns(variable).includes(column))
        throw invalid(`the datasets have no column ${column}`);
    }
    const sorted = [...new Set(factors)].sort().join('*');
    if (sorted !== id || taken.has(id)) throw invalid(`${id} is not in order, or there already`);
    taken.add(id);
    return { id, kind: 'count', comparison: true, factors, countCell: id, labels: {}, statistics: [] };
  });
}

function invalid(reason: string): FheError {
  return new FheError('PLAN_INVALID', `A comparison is not possible: ${reason}.`);
}
