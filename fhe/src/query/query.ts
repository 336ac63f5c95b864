/** The question of a job, as a researcher writes it: statistics over groups of patients. */
import { z } from 'zod';
import { COEFFICIENT_UNIT, LARGEST_LOGIT, MAXIMUM_TERMS } from '../aggregate/logistic.js';
import { FheError } from '../errors.js';
import { describeIssues } from '../schema/issues.js';

const name = z.string().min(1).max(63);
const code = z.string().min(1).max(32);
const id = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$/, 'must be 1 to 40 letters, digits, - or _');
const by = z
  .array(name)
  .max(2, 'at most two variables')
  .refine((list) => new Set(list).size === list.length, 'names a variable twice')
  .optional();

const basic = [
  z.strictObject({ id, kind: z.literal('count'), by }),
  z.strictObject({ id, kind: z.literal('mean'), variable: name, by }),
  z.strictObject({ id, kind: z.literal('variance'), variable: name, by }),
  /** The counts of two variables' levels; by a third, a table for each of its levels. */
  z
    .strictObject({
      id,
      kind: z.literal('crosstab'),
      rows: name,
      columns: name,
      by: z.array(name).max(1, 'at most one variable').optional(),
    })
    .refine((s) => s.rows !== s.columns, 'crosses a variable with itself')
    .refine((s) => !s.by?.some((b) => b === s.rows || b === s.columns), 'splits a table by its own variable'),
] as const;
const statistic = z.discriminatedUnion('kind', basic);
const analysis = z.discriminatedUnion('kind', [
  ...basic,
  /** Means, variances, covariance and correlation of two numbers, over the patients that have both. */
  z
    .strictObject({ id, kind: z.literal('correlation'), variables: z.tuple([name, name]), by })
    .refine((s) => s.variables[0] !== s.variables[1], 'correlates a variable with itself'),
  /** Events and censored patients in each interval of a time-to-event variable's grid. */
  z.strictObject({ id, kind: z.literal('survival'), variable: name, by }),
  /**
   * One step of a logistic regression, over the patients that have all of its variables: the sums that Newton's method
   * needs, at stated coefficients.
   */
  z
    .strictObject({
      id,
      kind: z.literal('logistic'),
      /** What is explained: whether the variable has the level. */
      outcome: z.strictObject({ variable: name, level: code }),
      /** Behind the intercept: a number, scaled to [-1, 1] by the schema's range, or whether a variable has a level. */
      terms: z.array(z.strictObject({ variable: name, level: code.optional() })).max(MAXIMUM_TERMS),
      /** The intercept's, then one for every term, in units of 2^-40. */
      coefficients: z.array(z.int()),
    })
    .refine(
      (s) => s.coefficients.length === s.terms.length + 1,
      'needs a coefficient for each term and one before',
    )
    .refine(
      (s) =>
        s.coefficients.reduce((sum, units) => sum + Math.abs(units), 0) * COEFFICIENT_UNIT <= LARGEST_LOGIT,
      `has coefficients whose magnitudes add up to more than ${LARGEST_LOGIT}`,
    ),
]);

const version = z.literal(1);
/** Every condition must hold. */
const where = z
  .array(z.strictObject({ variable: name, level: code }))
  .max(6)
  .refine((list) => new Set(list.map((c) => c.variable)).size === list.length, 'restricts a variable twice')
  .optional();

function statistics<T extends z.ZodType<{ id: string }>>(item: T) {
  return z
    .array(item)
    .min(1, 'asks for nothing')
    .max(50)
    .refine((list) => new Set(list.map((s) => s.id)).size === list.length, 'has the same id twice');
}

/** The shape of a query; {@link parseQuery} gives friendlier errors. */
export const queryShape = z.strictObject({ version, statistics: statistics(statistic), where });

/** The shape of a query that also asks for correlations, survival and regression; see {@link parseAnalysisQuery}. */
export const analysisQueryShape = z.strictObject({
  version,
  statistics: statistics(analysis).refine(
    (list) => list.filter(({ kind }) => kind === 'logistic').length <= 1,
    'asks for two regressions at once',
  ),
  where,
});

export type Query = z.infer<typeof queryShape>;
export type StatisticRequest = z.infer<typeof statistic>;
export type AnalysisQuery = z.infer<typeof analysisQueryShape>;
export type AnalysisRequest = z.infer<typeof analysis>;
export type LogisticRequest = Extract<AnalysisRequest, { kind: 'logistic' }>;

/**
 * Checks a query that came from a file or the ledger.
 * @throws FheError QUERY_INVALID with the place and the reason.
 */
export function parseQuery(input: unknown): Query {
  return parse(queryShape, input);
}

/**
 * Checks a query of any statistics that can be planned.
 * @throws FheError QUERY_INVALID with the place and the reason.
 */
export function parseAnalysisQuery(input: unknown): AnalysisQuery {
  return parse(analysisQueryShape, input);
}

function parse<T>(shape: z.ZodType<T>, input: unknown): T {
  const result = shape.safeParse(input);
  if (!result.success)
    throw new FheError('QUERY_INVALID', `The query is not valid: ${describeIssues(result.error)}.`, {
      cause: result.error,
    });
  return result.data;
}

/** The variables that split a statistic into groups. */
export function groupingOf(request: AnalysisRequest): readonly string[] {
  if (request.kind === 'logistic') return [];
  const by = request.by ?? [];
  return request.kind === 'crosstab' ? [...by, request.rows, request.columns] : by;
}

/** The variables that a statistic is about. */
export function measuredBy(request: AnalysisRequest): readonly string[] {
  if (request.kind === 'correlation') return request.variables;
  if (request.kind === 'logistic')
    return [request.outcome.variable, ...request.terms.map(({ variable }) => variable)];
  return request.kind === 'count' || request.kind === 'crosstab' ? [] : [request.variable];
}

/** All variables that a query reads, sorted: what an agreement has to cover. */
export function planVariables(query: AnalysisQuery): string[] {
  const used = new Set<string>();
  for (const request of query.statistics) {
    for (const variable of [...measuredBy(request), ...groupingOf(request)]) used.add(variable);
  }
  for (const condition of query.where ?? []) used.add(condition.variable);
  return [...used].sort();
}
