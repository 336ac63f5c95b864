/**
 * What a researcher may ask for, and in which released cells each statistic is. The ledger knows six kinds of cells
 * (count, mean, variance, crosstab, correlation, survival); everything else is computed from them by the researcher.
 */
import { analysisQueryShape } from '@strokeshare/fhe';
import { z } from 'zod';
import { ClientError } from '../../errors.js';

const id = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,35}$/, 'must be 1 to 36 letters, digits, - or _');
const variable = z.string().min(1).max(63);
const code = z.string().min(1).max(32);
const rising = (edges: readonly number[]): boolean =>
  edges.every((edge, i) => i === 0 || edge > (edges[i - 1] ?? Infinity));
const distinct = (items: readonly string[]): boolean => new Set(items).size === items.length;
const codes = z.array(code).min(1).refine(distinct, 'must not repeat a level');
const level = z.number().gt(0).lt(1).default(0.95);
const alternative = z.enum(['two-sided', 'less', 'greater']).default('two-sided');

/** Two groups of patients: by default the first level of the variable against the second. */
const exposure = z.union([
  variable.transform((name) => ({ variable: name, exposed: undefined, unexposed: undefined })),
  z
    .strictObject({ variable, exposed: codes, unexposed: codes })
    .refine(
      ({ exposed, unexposed }) => distinct([...exposed, ...unexposed]),
      'must not have a level in both groups',
    ),
]);
/** What happened: by default the first level of the variable, among all patients in whom it is recorded. */
const event = z.union([
  variable.transform((name) => ({ variable: name, levels: undefined })),
  z.strictObject({ variable, levels: codes }),
]);

const comparison = { id, exposure, event };
const kinds = [
  z.strictObject({
    id,
    kind: z.literal('proportion'),
    event,
    by: z.array(variable).max(1).optional(),
    level,
    method: z
      .enum(['wilson', 'wilsonCorrected', 'wald', 'agrestiCoull', 'clopperPearson', 'jeffreys'])
      .default('wilson'),
  }),
  z.strictObject({
    ...comparison,
    kind: z.literal('risk'),
    level,
    difference: z.enum(['newcombe', 'wald', 'agrestiCaffo']).default('newcombe'),
    alternative,
  }),
  z.strictObject({ id, kind: z.literal('chiSquare'), rows: variable, columns: variable }),
  z.strictObject({ ...comparison, kind: z.literal('mantelHaenszel'), strata: variable, level }),
  z.strictObject({ ...comparison, kind: z.literal('fixedEffect'), strata: variable, level }),
  z.strictObject({
    id,
    kind: z.literal('tTest'),
    variable,
    exposure,
    variances: z.enum(['unequal', 'equal']).default('unequal'),
    alternative,
    level,
  }),
  z.strictObject({ id, kind: z.literal('anova'), variable, group: variable }),
  z.strictObject({
    id,
    kind: z.literal('summary'),
    variable,
    by: z.array(variable).max(1).optional(),
    level,
  }),
  z.strictObject({
    id,
    kind: z.literal('pearson'),
    variables: z.array(variable).min(2).max(8).refine(distinct, 'must not repeat a variable'),
    alternative,
    level,
  }),
  z.strictObject({
    id,
    kind: z.literal('linearRegression'),
    outcome: variable,
    numbers: z.array(variable).max(6).default([]),
    groups: z.array(variable).max(3).default([]),
    level,
  }),
  z.strictObject({
    id,
    kind: z.literal('kaplanMeier'),
    variable,
    by: z.array(variable).max(1).optional(),
    interval: z.enum(['plain', 'log', 'logLog']).default('log'),
    level,
  }),
  /** The common odds ratio of a higher level; `order` lists the levels from lowest to highest where the schema's is another. */
  z.strictObject({ id, kind: z.literal('shift'), exposure, scale: variable, order: codes.optional(), level }),
  /** Of a variable whose levels are bins in rising order; `edges` are one more than levels. */
  z.strictObject({
    id,
    kind: z.literal('quantiles'),
    variable,
    edges: z.array(z.number()).min(3).refine(rising, 'must rise'),
    probabilities: z.array(z.number().min(0).max(1)).min(1),
  }),
  /** Quality of care: of each measure, and of all opportunities for care together. A measure is not recorded where it does not apply. */
  z.strictObject({
    id,
    kind: z.literal('composite'),
    measures: z.array(variable).min(1).max(20).refine(distinct, 'must not repeat a measure'),
    level,
  }),
] as const;

const { statistics: released, ...rest } = analysisQueryShape.shape;
const analysis = z.discriminatedUnion('kind', kinds);
const statistic = z.discriminatedUnion('kind', [analysis, released.element]);
/** A statistic of a question: released as it is, or computed from the cells of others. */
export type Statistic = z.output<typeof statistic>;
/** A statistic that is computed from the cells of others. */
export type Analysis = z.output<typeof analysis>;
export type AnalysisKind = Analysis['kind'];
export type AnalysisOf<Kind extends AnalysisKind> = Extract<Analysis, { kind: Kind }>;

const analysisKinds: readonly string[] = kinds.map(({ shape }) => shape.kind.value);

/** The shape of a job file's question, for editors; released kinds are those of the query. */
export const questionShape = z.strictObject({
  ...rest,
  statistics: z.array(z.union([...kinds, released.element])).min(1),
});

/** Whether a statistic is computed from the cells of others. */
export function isAnalysis(item: Statistic): item is Analysis {
  return analysisKinds.includes(item.kind);
}

/**
 * @param position - among the question's statistics, for the message.
 * @throws ClientError `JOB_FILE_INVALID` with the place and the reason.
 */
export function parseStatistic(value: unknown, position: number): Statistic {
  const result = statistic.safeParse(value);
  if (result.success) return result.data;
  const { path, message } = furthest(result.error.issues[0]);
  const place = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  throw new ClientError('JOB_FILE_INVALID', `statistics[${position}]${place}: ${message}.`, {
    cause: result.error,
  });
}

type Issue = z.core.$ZodIssue;

/** Of the ways in which something may be written the one that a value was nearest to. */
function furthest(issue: Issue | undefined): { path: PropertyKey[]; message: string } {
  if (!issue) return { path: [], message: 'not valid' };
  const { path, message } = issue;
  const [first, ...others] = issue.code === 'invalid_union' ? issue.errors.map(([own]) => furthest(own)) : [];
  if (!first) return { path, message };
  const nearest = others.reduce((best, one) => (one.path.length > best.path.length ? one : best), first);
  return { path: [...path, ...nearest.path], message: nearest.message };
}
