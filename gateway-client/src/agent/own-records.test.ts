import { parameterSet, type Schema } from '@strokeshare/fhe';
import { institution } from '../../test/support/institution.js';
import { ownPatients } from './own-patients.js';
import { originalName, ownColumns, readOwnBatch, storeOwnBatch } from './own-records.js';

const schema: Schema = {
  name: 'ages',
  version: '1',
  variables: [
    { name: 'AGE', kind: 'numeric', minimum: 0, maximum: 100, missing: true },
    { name: 'DEAD', kind: 'boolean' },
  ],
};
const records = [{ AGE: 50, DEAD: true }, { AGE: null, DEAD: false }, { DEAD: true }];
const patients = ['a', 'b', 'c'];
const provenance = {
  ...{ sourceHash: '0'.repeat(64), mappingHash: '0'.repeat(64), software: 'test' },
  ...{ readAt: '2026-01-01T00:00:00.000Z', readBy: 'nobody' },
};
const earlier = { datasetId: 'ages', batchId: 'batch-0001' };
const now = { datasetId: 'ages', batchId: 'batch-0002' };

test('originals that were stored record by record are read as those that are stored field by field', async () => {
  const { context } = institution();
  await context.originals.write(originalName(earlier), { schema, records, patients, provenance });
  await storeOwnBatch(context, now, { schema, provenance, ...ownPatients(records, patients) });
  const read = await readOwnBatch(context, now);
  expect(read.fields).toEqual(
    new Map<string, unknown>([
      ['AGE', [50, null, null]],
      ['DEAD', [true, false, true]],
    ]),
  );
  expect(await readOwnBatch(context, earlier)).toEqual(read);
  const set = parameterSet('standard');
  const [before, after] = [await ownColumns(context, earlier, set), await ownColumns(context, now, set)];
  expect(before).toEqual(after);
  expect([...after[0]!.columns.get('AGE:valid')!.subarray(0, 3)]).toEqual([1, 0, 0]);
});

test.each([
  ['neither fields nor records', {}],
  ['fields of different lengths', { fields: { AGE: [50], DEAD: [true, false] } }],
  ['a value that is none', { fields: { AGE: [{}], DEAD: [true] } }],
  ['a record that is none', { records: [{ AGE: [] }] }],
])('originals with %s are not taken', async (_, content) => {
  const { context } = institution();
  await context.originals.write(originalName(now), { schema, patients: ['a'], provenance, ...content });
  await expect(readOwnBatch(context, now)).rejects.toThrow();
});
