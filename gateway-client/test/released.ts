/** What a job over some records would release if nothing were encrypted: every cell as the sum of its columns' products. */
import {
  packColumns,
  parameterSet,
  plan,
  type AnalysisQuery,
  type PatientRecord,
  type Schema,
} from '@strokeshare/fhe';
import type { JobResult } from '../src/researcher/index.js';

const set = parameterSet('standard');

export function releasedInPlain(
  query: AnalysisQuery,
  schema: Schema,
  records: readonly PatientRecord[],
): JobResult {
  const { batches } = packColumns(schema, records, set);
  const made = plan(query, [schema], set, {
    holders: 4,
    threshold: 3,
    institutions: 1,
    batches: batches.length,
  });
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
  return { plan: made, set, job: {} as JobResult['job'], counts, values };
}
