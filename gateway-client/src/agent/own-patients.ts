/** An institution's own patients, field by field: loading makes no object of any of them. */
import type { FieldValue, PatientFields, PatientRecord } from '@strokeshare/fhe';
import { fieldsOfRecords } from '@strokeshare/storage-node';
import { ClientError } from '../errors.js';
import { eachField } from '../load/patient-fields.js';

/** Some patients, each at one index in every list. */
export interface OwnPatients {
  /** Name of a field to its values. */
  fields: PatientFields;
  /** The institution's own name for each patient, by which a consent is found again; it never leaves the internal zone. */
  patients: readonly string[];
}

/**
 * Turns records that an application holds as objects to patients field by field.
 *
 * @param patients - the institution's own name for each.
 * @throws ClientError `REQUEST_INVALID` where there are not as many names as records.
 */
export function ownPatients(records: readonly PatientRecord[], patients: readonly string[]): OwnPatients {
  if (records.length !== patients.length) throw unnamed();
  return { fields: fieldsOfRecords(records), patients };
}

/** @throws ClientError `REQUEST_INVALID` unless every patient has a name, each its own, and a value in every field. */
export function requirePatients(own: OwnPatients): void {
  requireValues(own);
  if (new Set(own.patients).size !== own.patients.length) throw unnamed();
}

/** The patients from an index on to another, who is not among them. */
export function slicePatients({ fields, patients }: OwnPatients, start: number, end: number): OwnPatients {
  return {
    fields: eachField(fields, (values) => values.slice(start, end)),
    patients: patients.slice(start, end),
  };
}

/** The patients without some of them. */
export function withoutPatients(
  { fields, patients }: OwnPatients,
  leaving: ReadonlySet<string>,
): OwnPatients {
  const stays = patients.map((patient) => !leaving.has(patient));
  return {
    fields: eachField(fields, (values) => values.filter((_, index) => stays[index])),
    patients: patients.filter((_, index) => stays[index]),
  };
}

/** Patients that come some at a time, as many together as a batch has slots. */
export async function* partsOf(
  rows: AsyncIterable<OwnPatients> | Iterable<OwnPatients>,
  slots: number,
): AsyncGenerator<OwnPatients> {
  let pieces: OwnPatients[] = [];
  let waiting = 0;
  for await (const some of rows) {
    requireValues(some);
    for (let start = 0; start < some.patients.length;) {
      const piece = slicePatients(some, start, start + slots - waiting);
      pieces.push(piece);
      waiting += piece.patients.length;
      start += piece.patients.length;
      if (waiting < slots) continue;
      yield joinPatients(pieces);
      pieces = [];
      waiting = 0;
    }
  }
  if (waiting > 0) yield joinPatients(pieces);
}

/** Patients one behind the other. A field that some of them lack is null there. */
export function joinPatients(pieces: readonly OwnPatients[]): OwnPatients {
  const names = new Set(pieces.flatMap(({ fields }) => [...fields.keys()]));
  const valuesOf = (name: string): FieldValue[] =>
    together(
      pieces.map(({ fields, patients }) => fields.get(name) ?? new Array<null>(patients.length).fill(null)),
    );
  return {
    fields: new Map(Array.from(names, (name) => [name, valuesOf(name)])),
    patients: together(pieces.map(({ patients }) => patients)),
  };
}

/** Flattening would copy value by value. */
function together<T>(lists: readonly (readonly T[])[]): T[] {
  return new Array<T>().concat(...lists);
}

function requireValues({ fields, patients }: OwnPatients): void {
  for (const values of fields.values()) if (values.length !== patients.length) throw unnamed();
}

function unnamed(): ClientError {
  return new ClientError('REQUEST_INVALID', 'Every record needs a name for its patient, and each its own.');
}
