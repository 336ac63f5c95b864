/** The question of a job, as a researcher writes it: statistics over groups of patients. */
import { z } from 'zod';
import { FheError } from '../errors.js';
import { describeIssues } from '../schema/issues.js';

const name = z.string().min(1).max(63);
const id = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$/, 'must be 1 to 40 letters, digits, - or _');
const by = z
  .array(name)
  .max(2, 'at most two variables')
  .refine((list) => new Set(list).size === list.length, 'names a variable twice')
  .optional();

const statistic = z.discriminatedUnion('kind', [
  z.strictObject({ id, kind: z.literal('count'), by }),
  z.strictObject({ id, kind: z.literal('mean'), variable: name, by }),
  z.strictObject({ id, kind: z.literal('variance'), variable: name, by }),
  z
    .strictObject({ id, kind: z.literal('crosstab'), rows: name, columns: name })
    .refine((s) => s.rows !== s.columns, 'crosses a variable with itself'),
]);

/** The shape of a query; {@link parseQuery} gives friendlier errors. */
export const queryShape = z.strictObject({
  version: z.literal(1),
  statistics: z
    .array(statistic)
    .min(1, 'asks for nothing')
    .max(50)
    .refine((list) => new Set(list.map((s) => s.id)).size === list.length, 'has the same id twice'),
  /** Every condition must hold. */
  where: z
    .array(z.strictObject({ variable: name, level: z.string().min(1).max(32) }))
    .max(6)
    .refine((list) => new Set(list.map((c) => c.variable)).size === list.length, 'restricts a variable twice')
    .optional(),
});

export type Query = z.infer<typeof queryShape>;
export type StatisticRequest = z.infer<typeof statistic>;

/**
 * Checks a query that came from a file or the ledger.
 * @throws FheError QUERY_INVALID with the place and the reason.
 */
export function parseQuery(input: unknown): Query {
  const result = queryShape.safeParse(input);
  if (!result.success)
    throw new FheError('QUERY_INVALID', `The query is not valid: ${describeIssues(result.error)}.`, {
      cause: result.error,
    });
  return result.data;
}

/** The variables that split a statistic into groups. */
export function groupingOf(request: StatisticRequest): readonly string[] {
  return request.kind === 'crosstab' ? [request.rows, request.columns] : (request.by ?? []);
}

/** All variables that a query reads, sorted: what an agreement has to cover. */
export function planVariables(query: Query): string[] {
  const used = new Set<string>();
  for (const request of query.statistics) {
    if (request.kind === 'mean' || request.kind === 'variance') used.add(request.variable);
    for (const variable of groupingOf(request)) used.add(variable);
  }
  for (const condition of query.where ?? []) used.add(condition.variable);
  return [...used].sort();
}
