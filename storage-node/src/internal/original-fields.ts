/** What the original records of a batch say. */
import { z } from 'zod';

/** A value of a patient's field; null where it is not known. */
export type OriginalValue = string | number | boolean | null;

/** Patients field by field: name to the values of all of them, each patient at one index in every field. */
export type OriginalFields = ReadonlyMap<string, readonly OriginalValue[]>;

/** Turns records to fields. What a record lacks is null. */
export function fieldsOfRecords(
  records: readonly Readonly<Record<string, OriginalValue>>[],
): Map<string, OriginalValue[]> {
  const names = new Set<string>();
  for (const record of records) for (const name of Object.keys(record)) names.add(name);
  const valueOf = (record: Readonly<Record<string, OriginalValue>>, name: string): OriginalValue =>
    Object.hasOwn(record, name) ? (record[name] ?? null) : null;
  return new Map([...names].map((name) => [name, records.map((record) => valueOf(record, name))]));
}

const isValue = (value: unknown): boolean =>
  value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';

// There are thousands of values to a field, so they are not each given to a schema of its own.
const values = z.custom<OriginalValue[]>((input) => Array.isArray(input) && input.every(isValue));

const inFields = z
  .object({ fields: z.record(z.string(), values) })
  .transform(({ fields }) => new Map(Object.entries(fields)))
  .refine((fields) => new Set([...fields.values()].map(({ length }) => length)).size <= 1, {
    message: 'must have a value of every patient in every field',
  });

const asRecords = z
  .object({ records: z.array(z.record(z.string(), z.custom<OriginalValue>(isValue))) })
  .transform(({ records }) => fieldsOfRecords(records));

/** The fields of stored originals: written field by field, or record by record as they were before. */
export const storedFields: z.ZodType<OriginalFields> = z.union([inFields, asRecords]);
