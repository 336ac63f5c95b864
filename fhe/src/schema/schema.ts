/**
 * The data dictionary of a dataset. It fixes, once and for every institution, how a variable becomes packed columns:
 * the range that scales a number to [-1, 1], the levels that become indicator columns, the grid of a survival time.
 */
import { z } from 'zod';
import { canonicalJson, sha256Hex } from '../bytes/canonical.js';
import { FheError } from '../errors.js';
import { concept } from './concepts.js';
import { describeIssues } from './issues.js';

/** Names appear in column and cell names, and those in ledger keys: letters, digits and underscores only. */
const variableName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_]{0,62}$/, 'must be letters, digits and underscores, starting with a letter');
const levelCode = z.string().regex(/^[A-Za-z0-9_.+-]{1,32}$/, 'must be 1 to 32 letters, digits or _ . + -');

const concepts = z.array(concept).min(1).max(5);

const common = {
  name: variableName,
  description: z.string().max(500).optional(),
  /** Whether a record may lack the variable. */
  missing: z.boolean().optional(),
  /** What it means in public terminologies. */
  concepts: concepts.optional(),
};

const levels = z
  .array(z.strictObject({ code: levelCode, label: z.string().max(200), concepts: concepts.optional() }))
  .min(2, 'needs at least two levels')
  .max(100)
  .refine(
    (list) => new Set(list.map((level) => level.code)).size === list.length,
    'has the same level code twice',
  );

const numeric = z.strictObject({
  ...common,
  kind: z.literal('numeric'),
  minimum: z.number(),
  maximum: z.number(),
  /** Of the Unified Code for Units of Measure (UCUM) in registries. */
  unit: z.string().max(40).optional(),
});
const categorical = z.strictObject({ ...common, kind: z.literal('categorical'), levels });
/** Levels in their order, lowest first. Packed as a categorical variable is. */
const ordinal = z.strictObject({ ...common, kind: z.literal('ordinal'), levels });
const boolean = z.strictObject({ ...common, kind: z.literal('boolean') });
/**
 * Time from `time` (a number in `unit`) to an event or to censoring, as `event` (1/0, true/false) says; both are
 * fields of the record. A record falls into the first interval (previous grid point, grid point] that holds its time;
 * one that lasts beyond the last grid point is in none.
 */
const timeToEvent = z.strictObject({
  ...common,
  kind: z.literal('timeToEvent'),
  time: variableName,
  event: variableName,
  unit: z.string().max(40),
  grid: z
    .array(z.number().positive())
    .min(1)
    .max(100)
    .refine(
      (points) => points.every((point, i) => i === 0 || point > (points[i - 1] ?? 0)),
      'must rise from point to point',
    ),
});

const variable = z
  .discriminatedUnion('kind', [numeric, categorical, ordinal, boolean, timeToEvent])
  .refine((v) => v.kind !== 'numeric' || v.minimum < v.maximum, 'needs a minimum below its maximum');

/** The shape of a schema; {@link parseSchema} gives friendlier errors. */
export const schemaShape = z.strictObject({
  name: z.string().min(1).max(100),
  version: z.string().min(1).max(40),
  variables: z
    .array(variable)
    .min(1, 'needs at least one variable')
    .max(500)
    .refine((list) => new Set(list.map((v) => v.name)).size === list.length, 'has the same name twice'),
});

export type Variable = z.infer<typeof variable>;
export type NumericVariable = z.infer<typeof numeric>;
export type TimeToEventVariable = z.infer<typeof timeToEvent>;
/** A variable that splits a cohort into groups, one indicator column for each level. */
export type LevelledVariable = Exclude<Variable, NumericVariable | TimeToEventVariable>;
export type Schema = z.infer<typeof schemaShape>;

/**
 * Checks a data dictionary that came from a file or the ledger.
 * @throws FheError SCHEMA_INVALID with the place and the reason.
 */
export function parseSchema(input: unknown): Schema {
  const result = schemaShape.safeParse(input);
  if (!result.success)
    throw new FheError('SCHEMA_INVALID', `The schema is not valid: ${describeIssues(result.error)}.`, {
      cause: result.error,
    });
  return result.data;
}

/** SHA-256 over the canonical JSON (RFC 8785) of a schema, in hex: the order of keys does not matter, all else does. */
export function schemaHash(schema: Schema): string {
  return sha256Hex(canonicalJson(schema));
}
