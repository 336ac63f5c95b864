import {
  packColumns,
  plan,
  type AnalysisQuery,
  type ParameterSet,
  type PatientRecord,
  type PlanContext,
  type Schema,
} from '@strokeshare/fhe';
import type { ReleasedCells } from './result.js';

/**
 * What a job would release if nothing were encrypted: every cell as the sum over the records of its columns' products.
 * A hospital tries a question on its own records with it, and a comparison takes it for the truth.
 *
 * @param context - as the job's; the plan is the same one then.
 * @throws FheError where the query has no plan, or a record does not fit the schema.
 */
export function cellsInTheClear(
  query: AnalysisQuery,
  schema: Schema,
  records: readonly PatientRecord[],
  set: ParameterSet,
  context: PlanContext,
): ReleasedCells {
  const { batches } = packColumns(schema, records, set);
  const made = plan(query, [schema], set, context);
  const sumOf = (factors: readonly string[]): number => {
    let sum = 0;
    for (const { columns } of batches) {
      const used = factors.map((name) => {
        const column = columns.get(name);
        if (!column) throw new TypeError(`there is no column ${name}`);
        return column;
      });
      for (let slot = 0; slot < set.slots; slot++)
        sum += used.reduce((product, column) => product * (column[slot] ?? 0), 1);
    }
    return sum;
  };
  const counts = new Map<string, number>();
  const values = new Map<string, { value: number; deviation: number }>();
  for (const { id, kind, factors } of made.cells) {
    const value = sumOf(factors);
    if (kind === 'count') counts.set(id, Math.round(value));
    else values.set(id, { value, deviation: 0 });
  }
  return { plan: made, counts, values };
}
