import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Schema } from '@strokeshare/fhe';
import { readSchema } from '../demo/records.js';
import { openTable } from './file.js';
import { parseMapping, readMapping } from './mapping.js';
import { sharedSchema } from './shared-schema.js';
import { profileTable } from './profile.js';
import { loadRecords } from './records.js';

const DATA = join(__dirname, '..', '..', '..', 'data');
const schema: Schema = {
  name: 'trial',
  version: '1',
  variables: [
    { name: 'AGE', kind: 'numeric', minimum: 16, maximum: 99 },
    { name: 'AF', kind: 'boolean', missing: true },
  ],
};

async function* table(rows: number, row: (i: number) => string): AsyncGenerator<Uint8Array> {
  yield Buffer.from('AGE\tAF\tNAME\n');
  for (let i = 0; i < rows; i += 1) yield Buffer.from(`${row(i)}\n`);
}

test('a profile says what was read, what was left out and why, and how numbers were coarsened', async () => {
  const mapping = parseMapping({ delimiter: '\t', fields: { AGE: { atMost: 90, roundTo: 5 } } });
  const ages = ['63', '97', '', '12', 'x', '12', '72'];
  const rejected: string[] = [];
  const profile = await profileTable(
    table(ages.length, (i) => `${ages[i]}\t${i === 0 ? 'Y' : ''}\tNobody`),
    { schema, mapping },
    { onRejected: (line, reason) => void rejected.push(`${line} ${reason}`) },
  );
  expect(profile).toEqual({
    schema: { name: 'trial', version: '1' },
    rows: 7,
    accepted: 3,
    rejections: [
      { reason: 'AGE is outside 16 to 99', rows: 2, lines: [5, 7] },
      { reason: 'AGE is not recorded, and the schema requires it', rows: 1, lines: [4] },
      { reason: 'AGE is not a number', rows: 1, lines: [6] },
    ],
    fields: [
      {
        field: 'AGE',
        recorded: 3,
        missing: 0,
        generalised: 'rounded to 5; 90 stands for more, too',
        // Of 65, 90 and 70.
        numbers: {
          minimum: 65,
          maximum: 90,
          mean: 75,
          standardDeviation: expect.closeTo(Math.sqrt(175), 12),
        },
      },
      { field: 'AF', recorded: 1, missing: 2, levels: { true: 1, false: 0 } },
    ],
  });
  expect(rejected).toHaveLength(4);
});

test('rounding leaves nobody out whom the schema allows', async () => {
  const ages = ['16', '17', '18', '97', '98', '99', '100'];
  const { records, rejected } = await loadRecords(Buffer.from(`AGE,AF\n${ages.join(',\n')},\n`), {
    schema,
    mapping: parseMapping({ fields: { AGE: { roundTo: 5 } } }),
  });
  expect(records.map(({ values }) => values['AGE'])).toEqual([20, 20, 20, 95, 95, 95]);
  expect(rejected).toEqual([{ line: 8, reason: 'AGE is outside 16 to 99' }]);
  const [variable] = schema.variables;
  const fever = { ...schema, variables: [{ ...variable!, name: 'T', minimum: 30, maximum: 42.9 }] };
  const { records: warm } = await loadRecords(Buffer.from('T\n42.88\n'), {
    schema: fever as Schema,
    mapping: parseMapping({ fields: { T: { roundTo: 0.1 } } }),
  });
  expect(warm.map(({ values }) => values['T'])).toEqual([42.9]);
});

test('a packed table is read as it lies, and a missing one is said to be', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'strokeshare-table-'));
  try {
    const path = join(folder, 'table.csv.gz');
    const packed = gzipSync('AGE,AF\n40,Y\n');
    await writeFile(path, packed);
    const file = await openTable(path);
    const profile = await profileTable(file.bytes, { schema, mapping: parseMapping({ fields: {} }) });
    expect(profile.accepted).toBe(1);
    expect([file.size, file.read()]).toEqual([packed.length, packed.length]);
    await expect(openTable(join(folder, 'none'))).rejects.toMatchObject({ code: 'FILE_MISSING' });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a packed table that ends too early is refused, not read as a short one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'strokeshare-table-'));
  try {
    const path = join(folder, 'cut.csv.gz');
    await writeFile(path, gzipSync(`AGE,AF\n${'40,Y\n'.repeat(1000)}`).subarray(0, -12));
    const { bytes } = await openTable(path);
    await expect(
      profileTable(bytes, { schema, mapping: parseMapping({ fields: {} }) }),
    ).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  } finally {
    await rm(folder, { recursive: true });
  }
});

describe('the registry schema', () => {
  test('the International Stroke Trial shares what it has of it', async () => {
    const mapping = await readMapping(join(DATA, 'mappings', 'ist-registry.yaml'));
    const shared = sharedSchema(await readSchema(join(DATA, 'schemas', 'stroke-registry.json')), mapping);
    expect(shared.variables).toHaveLength(16);
    const { bytes } = await openTable(join(DATA, 'IST_corrected.csv.gz'));
    const profile = await profileTable(bytes, { schema: shared, mapping });
    // Two patients are under 18; the counts are those of the column dictionary and of the published figures.
    expect(profile).toMatchObject({ rows: 19_435, accepted: 19_433 });
    const field = (name: string) => profile.fields.find((one) => one.field === name);
    expect(field('ATRIALFIBRILLATION')).toMatchObject({ missing: 984 });
    expect(field('SYNDROME')?.levels).toEqual({ TACS: 4638, PACS: 7855, POCS: 2227, LACS: 4656, OTH: 57 });
    expect(field('AGE')?.numbers).toMatchObject({ maximum: 90 });
    expect(field('DAYS')?.missing).toBe(2);
  });

  test('a mapping that names a variable which the schema does not have is refused', async () => {
    const registry = await readSchema(join(DATA, 'schemas', 'stroke-registry.json'));
    const mapping = parseMapping({ variables: ['AGE', 'SHOESIZE'], fields: {} });
    expect(() => sharedSchema(registry, mapping)).toThrow(/no variable SHOESIZE/);
  });

  test('a rule for a misspelt field is refused: the exact values would be shared', async () => {
    const registry = await readSchema(join(DATA, 'schemas', 'stroke-registry.json'));
    const mapping = parseMapping({ fields: { Age: { atMost: 90 } } });
    expect(() => sharedSchema(registry, mapping)).toThrow(
      expect.objectContaining({
        code: 'MAPPING_INVALID',
        message: expect.stringMatching(/has no field Age\.$/),
      }),
    );
  });

  test.each(['ist', 'ist-study', 'soop'])('the mapping %s has the fields of its schema', async (name) => {
    const mapping = await readMapping(join(DATA, 'mappings', `${name}.yaml`));
    const whole = await readSchema(join(DATA, 'schemas', `${name}.json`));
    expect(sharedSchema(whole, mapping)).toBe(whole);
  });
});
