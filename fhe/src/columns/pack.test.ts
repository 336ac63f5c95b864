import fc from 'fast-check';
import { parseSchema } from '../schema/schema.js';
import { packColumns, packFields, type PatientRecord } from './pack.js';

const schema = parseSchema({
  name: 'test',
  version: '1',
  variables: [
    { name: 'AGE', kind: 'numeric', minimum: 16, maximum: 99 },
    { name: 'RSBP', kind: 'numeric', minimum: 70, maximum: 295, missing: true },
    {
      name: 'SEX',
      kind: 'categorical',
      levels: [
        { code: 'F', label: 'female' },
        { code: 'M', label: 'male' },
      ],
      missing: true,
    },
    { name: 'DEAD', kind: 'boolean' },
    {
      name: 'SURVIVAL',
      kind: 'timeToEvent',
      time: 'TD',
      event: 'DIED',
      unit: 'days',
      grid: [14, 180],
      missing: true,
    },
  ],
});
const patient: PatientRecord = { AGE: 99, RSBP: 182.5, SEX: 'F', DEAD: true, TD: 14, DIED: 1 };
const set = { slots: 4 };

function packed(records: PatientRecord[]): Record<string, number[]>[] {
  return packColumns(schema, records, set).batches.map(({ columns }) =>
    Object.fromEntries([...columns].map(([name, values]) => [name, [...values]])),
  );
}

test('scales numbers by their range and marks levels, intervals and what is recorded', () => {
  const [batch] = packed([
    patient,
    { AGE: '16', RSBP: '', SEX: null, DEAD: 'false', TD: 15, DIED: false },
    { AGE: '57.5', RSBP: 70, SEX: 'M', DEAD: false, TD: 400, DIED: 'true' },
  ]);
  expect(batch).toEqual({
    _row: [1, 1, 1, 0],
    AGE: [1, -1, 0, 0],
    RSBP: [0, 0, -1, 0],
    'RSBP:valid': [1, 0, 1, 0],
    'SEX=F': [1, 0, 0, 0],
    'SEX=M': [0, 0, 1, 0],
    'SEX:valid': [1, 0, 1, 0],
    'DEAD=true': [1, 0, 0, 0],
    'DEAD=false': [0, 1, 1, 0],
    'SURVIVAL:event@14': [1, 0, 0, 0],
    'SURVIVAL:event@180': [0, 0, 0, 0],
    'SURVIVAL:censored@14': [0, 0, 0, 0],
    'SURVIVAL:censored@180': [0, 1, 0, 0],
    'SURVIVAL:valid': [1, 1, 1, 0],
  });
});

test('a field that no record has is not recorded, whatever objects inherit', () => {
  const inherited = parseSchema({
    name: 'test',
    version: '1',
    variables: [{ name: 'constructor', kind: 'numeric', minimum: 0, maximum: 1, missing: true }],
  });
  const [batch] = packColumns(inherited, [{}, { constructor: 1 } as unknown as PatientRecord], set).batches;
  expect([...batch!.columns.get('constructor:valid')!]).toEqual([0, 1, 0, 0]);
});

test('fills batches in order, whatever the number of patients', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 16, max: 99 }), { maxLength: 30 }), (ages) => {
      const { batches } = packColumns(
        schema,
        ages.map((AGE) => ({ ...patient, AGE })),
        set,
      );
      expect(batches.map(({ rows }) => rows)).toEqual(
        Array.from({ length: Math.ceil(ages.length / 4) }, (_, i) => Math.min(4, ages.length - 4 * i)),
      );
      const back = batches.flatMap(({ rows, columns }) =>
        [...(columns.get('AGE') ?? new Float64Array()).subarray(0, rows)].map((x) =>
          Math.round(57.5 + 41.5 * x),
        ),
      );
      expect(back).toEqual(ages);
    }),
  );
});

test.each([
  ['beyond the range', { AGE: 105 }, "AGE is outside the schema's range 16 to 99"],
  ['not a number', { AGE: '5O' }, 'AGE is not a number'],
  ['not finite', { AGE: Number.NaN }, 'AGE is not a number'],
  ['hexadecimal', { AGE: '0x20' }, 'AGE is not a number'],
  ['absent but required', { AGE: null }, 'AGE is not recorded, and the schema requires it'],
  ['an unknown level', { SEX: 'X9' }, "SEX is none of the schema's levels (F, M)"],
  ['no flag', { DIED: 'perhaps' }, 'SURVIVAL has an event field that is neither 1/0 nor true/false'],
  ['before the start', { TD: -3 }, 'SURVIVAL has a negative time'],
])('refuses a value that is %s, by row and variable and without the value', (_, change, message) => {
  const pack = () => packColumns(schema, [patient, { ...patient, ...change }], set);
  expect(pack).toThrow(expect.objectContaining({ code: 'RECORD_INVALID', message: `Row 2: ${message}.` }));
  const value = String(Object.values(change)[0]);
  expect(value === 'null' || !message.includes(value)).toBe(true);
});

test('of several rows that are refused the first is named, whichever variable is wrong with it', () => {
  const wrong = [
    patient,
    patient,
    { ...patient, TD: -1, DIED: 2 },
    { ...patient, AGE: 5 },
    { ...patient, SEX: 'X' },
  ];
  expect(() => packColumns(schema, wrong, { slots: 8 })).toThrow(
    'Row 3: SURVIVAL has an event field that is neither 1/0 nor true/false.',
  );
  expect(() => packColumns(schema, [...wrong.slice(3), patient], { slots: 8 })).toThrow(
    'Row 1: AGE is outside',
  );
  // In the second batch, too, rows are counted from the first record on.
  expect(() => packColumns(schema, [patient, patient, ...wrong.slice(0, 2), wrong[4]!], set)).toThrow(
    "Row 5: SEX is none of the schema's levels (F, M).",
  );
});

test('patients field by field are packed as their records are; a field that is not there is not recorded', () => {
  const fields = new Map<string, (string | number | boolean | null)[]>([
    ['AGE', [16, '57.5', 99]],
    ['RSBP', [null, 70, '']],
    ['DEAD', [true, 'false', false]],
  ]);
  const records = [0, 1, 2].map((i) =>
    Object.fromEntries(Array.from(fields, ([name, values]) => [name, values[i] ?? null])),
  );
  const byField = packFields(schema, fields, 3, { slots: 2 }).batches;
  expect(byField).toEqual(packColumns(schema, records, { slots: 2 }).batches);
  expect(byField.map(({ rows }) => rows)).toEqual([2, 1]);
  expect([...byField[0]!.columns.get('SEX:valid')!]).toEqual([0, 0]);
  expect([...byField[0]!.columns.get('RSBP:valid')!]).toEqual([0, 1]);
});
