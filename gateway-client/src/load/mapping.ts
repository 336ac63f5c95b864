import { z } from 'zod';
import { ClientError } from '../errors.js';
import { readNamedFile } from '../named-file.js';

const rising = (numbers: readonly number[]): boolean =>
  numbers.every((number, i) => i === 0 || number > (numbers[i - 1] ?? 0));

const fieldSchema = z
  .strictObject({
    /** The column of the file, where it has another name than the field. */
    from: z.string().min(1).optional(),
    /** Columns of which any being true makes the field 1, all being false makes it 0. */
    anyOf: z.array(z.string().min(1)).min(2).optional(),
    /** Columns of quality measures, not recorded where one does not apply: 1 where all that apply were met, else 0. */
    allMet: z.array(z.string().min(1)).min(2).optional(),
    /** The same columns' share of measures that were met, 0 to 1. */
    shareMet: z.array(z.string().min(1)).min(2).optional(),
    /** Values that mean "not known" beside the empty cell. */
    missing: z.array(z.string()).default([]),
    /** Values that are written as another one before they are read. */
    recode: z.record(z.string(), z.string()).default({}),
    /** Generalises a number to a band, `16-49`: the whole numbers that bands begin with, and the end of the last. */
    bands: z.array(z.number().int()).min(3).refine(rising, 'must rise').optional(),
    /** Generalises a number to the nearest multiple. */
    roundTo: z.number().positive().optional(),
    /** Generalises every larger number to this one. */
    atMost: z.number().optional(),
  })
  .refine(
    ({ from, anyOf, allMet, shareMet }) =>
      [from, anyOf, allMet, shareMet].filter((source) => source !== undefined).length <= 1,
    'has more than one of from, anyOf, allMet and shareMet',
  )
  .refine(
    ({ bands, roundTo, atMost }) => !bands || (roundTo ?? atMost) === undefined,
    'generalises in two ways',
  );

const mappingSchema = z.strictObject({
  encoding: z.string().default('utf-8'),
  delimiter: z
    .string()
    .length(1)
    .refine((character) => !'"\r\n\ufeff'.includes(character), 'is what cells or lines are made of')
    .default(','),
  /** Values that are true; those of the next list are false. */
  truths: z.array(z.string()).default(['Y', 'y', '1', 'true']),
  falsehoods: z.array(z.string()).default(['N', 'n', '0', 'false']),
  /** The variables of the schema that the table has; all unless named. The dataset's schema has no others. */
  variables: z.array(z.string().min(1)).min(1).optional(),
  /** By the field of the record: a variable of the schema, or the time or event of a survival time. */
  fields: z.record(z.string(), fieldSchema),
});

/** How the columns of a table become the fields of a record. */
export type Mapping = z.infer<typeof mappingSchema>;
/** How one column becomes one field. */
export type FieldMapping = z.infer<typeof fieldSchema>;

/** The columns of the file that a field is read from. */
export function columnsOf(field: string, mapping: Mapping): readonly string[] {
  const { from, anyOf, allMet, shareMet } = mapping.fields[field] ?? {};
  return anyOf ?? allMet ?? shareMet ?? [from ?? field];
}

/**
 * Checks a mapping.
 *
 * @throws ClientError `MAPPING_INVALID`.
 */
export function parseMapping(value: unknown, name = 'the mapping'): Mapping {
  const result = mappingSchema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new ClientError(
    'MAPPING_INVALID',
    `${name} cannot be used: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not a mapping'}.`,
    { cause: result.error },
  );
}

/**
 * Reads a mapping from a YAML file.
 *
 * @throws ClientError `FILE_MISSING`, `MAPPING_INVALID`.
 */
export async function readMapping(path: string): Promise<Mapping> {
  const file = {
    what: 'The mapping',
    code: 'FILE_MISSING',
    malformed: 'MAPPING_INVALID',
    form: 'YAML',
  } as const;
  return parseMapping(await readNamedFile(path, file), path);
}
