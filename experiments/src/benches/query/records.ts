import type { Schema } from '@strokeshare/fhe';
import type { LoadedRecord, OwnRow } from '@strokeshare/gateway-client';

/** A prime that shares no factor with the number of patients: every stretch of the resampled is a mixture of all. */
const STRIDE = 7919;

/** So many patients, drawn from the trial's again and again in a fixed order. */
export function* resampled(records: readonly LoadedRecord[], count: number, first = 0): Generator<OwnRow> {
  for (let i = first; i < first + count; i++) {
    const record = records[(i * STRIDE) % records.length];
    if (!record) throw new TypeError('there are patients to draw from');
    yield { values: record.values, patient: `patient ${i}` };
  }
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

/** Rows of one piece of the text. */
const PIECE = 500;

/** A table of the trial's ages, pressures and delays as text, piece by piece: so many patients. */
export function* table(records: readonly LoadedRecord[], count: number): Generator<Uint8Array> {
  yield Buffer.from(`${tableSchema.variables.map(({ name }) => name).join(',')}\n`);
  const lines: string[] = [];
  let row = 0;
  for (const { values } of resampled(records, count)) {
    const numbers = [values['AGE'], values['RSBP'], values['RDELAY']];
    lines.push([...numbers, ...numbers, ...numbers].join(','));
    row += 1;
    if (lines.length < PIECE && row < count) continue;
    yield Buffer.from(`${lines.splice(0).join('\n')}\n`);
  }
}
