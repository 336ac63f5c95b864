import type { Schema } from '@strokeshare/fhe';
import { ownPatients, type LoadedRecord, type OwnPatients } from '@strokeshare/gateway-client';

/** A prime that shares no factor with the number of patients: every stretch of the resampled is a mixture of all. */
const STRIDE = 7919;
/** Rows of one piece. */
const PIECE = 500;

/** A patient, and the name that stands for one. */
interface Resampled {
  values: LoadedRecord['values'];
  patient: string;
}

/** So many patients, drawn from the trial's again and again in a fixed order. */
export function* resampled(records: readonly LoadedRecord[], count: number, first = 0): Generator<Resampled> {
  for (let i = first; i < first + count; i++) {
    const record = records[(i * STRIDE) % records.length];
    if (!record) throw new TypeError('there are patients to draw from');
    yield { values: record.values, patient: `patient ${i}` };
  }
}

/** The same some at a time, as loading takes them. */
export function* resampledRows(
  records: readonly LoadedRecord[],
  count: number,
  first = 0,
): Generator<OwnPatients> {
  for (const some of together(resampled(records, count, first)))
    yield ownPatients(
      some.map(({ values }) => values),
      some.map(({ patient }) => patient),
    );
}

/** Items some at a time. */
function* together<T>(items: Iterable<T>): Generator<T[]> {
  let some: T[] = [];
  for (const item of items) {
    some.push(item);
    if (some.length < PIECE) continue;
    yield some;
    some = [];
  }
  if (some.length > 0) yield some;
}

/** A schema with some of its variables. */
export function narrowed(schema: Schema, names: readonly string[]): Schema {
  return { ...schema, variables: schema.variables.filter(({ name }) => names.includes(name)) };
}

/** Numbers that a table of ten columns has: with the row indicator ten ciphertexts a batch. */
const NUMBERS = 9;

/** The schema of {@link table}. */
export const tableSchema: Schema = {
  name: 'Numbers of the trial',
  version: '1',
  variables: Array.from({ length: NUMBERS }, (_, i) => ({
    ...{ name: `N${i + 1}`, kind: 'numeric' as const, minimum: 0, maximum: 300 },
  })),
};

/** A table of the trial's ages, pressures and delays as text, piece by piece: so many patients. */
export function* table(records: readonly LoadedRecord[], count: number): Generator<Uint8Array> {
  yield Buffer.from(`${tableSchema.variables.map(({ name }) => name).join(',')}\n`);
  for (const some of together(resampled(records, count))) {
    const lines = some.map(({ values }) => {
      const numbers = [values['AGE'], values['RSBP'], values['RDELAY']];
      return `${[...numbers, ...numbers, ...numbers].join(',')}\n`;
    });
    yield Buffer.from(lines.join(''));
  }
}
