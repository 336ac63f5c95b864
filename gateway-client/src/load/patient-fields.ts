/** Patients field by field: parts of them, and several together. */
import type { FieldValue, PatientFields } from '@strokeshare/fhe';

/** Does the same with the values of every field. */
export function eachField(
  fields: PatientFields,
  change: (values: readonly FieldValue[]) => readonly FieldValue[],
): PatientFields {
  return new Map(Array.from(fields, ([name, values]) => [name, change(values)]));
}
