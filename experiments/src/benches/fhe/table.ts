import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { packColumns, parseSchema, type ColumnBatch, type ParameterSet } from '@strokeshare/fhe';
import { ROOT } from '../../report.js';

/** The two columns of the International Stroke Trial that the bench works on. */
export const schema = parseSchema({
  name: 'bench',
  version: '1',
  variables: [
    { name: 'AGE', kind: 'numeric', minimum: 16, maximum: 99, unit: 'years' },
    { name: 'RSBP', kind: 'numeric', minimum: 70, maximum: 295, unit: 'mmHg' },
  ],
});

export interface Patient extends Record<string, number> {
  AGE: number;
  RSBP: number;
}

/** The trial's patients, and the bytes that the two columns take in the table. */
export async function patients(): Promise<{ records: Patient[]; csvBytes: number }> {
  const file = gunzipSync(await readFile(join(ROOT, 'data', 'IST_corrected.csv.gz'))).toString('latin1');
  const [header = '', ...lines] = file.split(/\r?\n/).filter((line) => line !== '');
  const names = header.split(',');
  const [age, pressure] = ['AGE', 'RSBP'].map((name) => names.indexOf(name)) as [number, number];
  let csvBytes = 0;
  const records = lines.map((line) => {
    // Both columns come before any quoted field.
    const fields = line.split(',');
    const [first = '', second = ''] = [fields[age], fields[pressure]];
    csvBytes += first.length + second.length + 2;
    return { AGE: Number(first), RSBP: Number(second) };
  });
  return { records, csvBytes };
}

/** Patients drawn with replacement. */
export function resample(records: readonly Patient[], count: number): Patient[] {
  return Array.from({ length: count }, () => {
    const patient = records[Math.floor(Math.random() * records.length)];
    if (!patient) throw new Error('There is nothing to draw from.');
    return patient;
  });
}

export function pack(records: readonly Patient[], set: ParameterSet): ColumnBatch[] {
  return packColumns(schema, records, set).batches;
}

/** Both scaled columns, one after the other, as little-endian doubles. */
export function columnBytes(batches: readonly ColumnBatch[]): Uint8Array {
  const column = (name: string): Float64Array[] =>
    batches.map(({ rows, columns }) => (columns.get(name) ?? new Float64Array()).subarray(0, rows));
  return Buffer.concat(
    [...column('AGE'), ...column('RSBP')].map((part) =>
      Buffer.from(part.buffer, part.byteOffset, part.byteLength),
    ),
  );
}

/** Sums of x, y, xx, yy and xy, from the plain columns. */
export function plainCells(batches: readonly ColumnBatch[]): number[] {
  const sums = [0, 0, 0, 0, 0];
  for (const { rows, columns } of batches)
    for (let i = 0; i < rows; i++) {
      const x = columns.get('AGE')?.[i] ?? 0;
      const y = columns.get('RSBP')?.[i] ?? 0;
      [x, y, x * x, y * y, x * y].forEach((value, cell) => (sums[cell] = (sums[cell] ?? 0) + value));
    }
  return sums;
}
