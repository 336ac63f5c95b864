/** The plan of a job: contracts and agents compile it from the same records, and its hash is on the job. */
import { type AnalysisPlan, type AnalysisQuery, parameterSet, plan, type Schema } from '@strokeshare/fhe';
import { byText } from '../api/canonical.js';

/** Owners of datasets, sorted: the institutions that take part in a job. */
export const ownersOf = (datasets: readonly { owner: string }[]): string[] =>
  [...new Set(datasets.map(({ owner }) => owner))].sort(byText);

/**
 * Compiles a query over datasets of one epoch.
 * @param datasets in the order of the agreement
 * @param comparisons counts that disclosure control needs beside the query's own
 * @throws FheError as `plan` of the arithmetic's package does
 */
export function planOf(
  query: AnalysisQuery,
  datasets: readonly { owner: string; schema: Schema; batches: readonly unknown[] }[],
  epoch: { parameterSet: string; members: readonly string[]; threshold: number },
  comparisons: readonly string[] = [],
): AnalysisPlan {
  const schemas = datasets.map(({ schema }) => schema);
  const context = {
    holders: epoch.members.length,
    threshold: epoch.threshold,
    institutions: ownersOf(datasets).length,
    batches: datasets.reduce((sum, { batches }) => sum + batches.length, 0),
  };
  return plan(query, schemas, parameterSet(epoch.parameterSet), context, undefined, comparisons);
}
