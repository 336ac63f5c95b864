import { parameterSet, type Schema } from '@strokeshare/fhe';
import { institution } from '../../test/support/institution.js';
import { ownPatients, type OwnPatients } from './own-patients.js';
import { originalName, readOwnBatch } from './own-records.js';
import { publishRows, type StreamedDataset } from './publish.js';

const set = parameterSet('standard');
const schema: Schema = {
  name: 'ages',
  version: '1',
  variables: [{ name: 'AGE', kind: 'numeric', minimum: 0, maximum: 99 }],
};
const dataset = (rows: StreamedDataset['rows']): StreamedDataset => ({
  datasetId: 'ages',
  title: 'Ages',
  epochId: 'epoch-1',
  schema,
  rows,
  provenance: {
    sourceHash: '0'.repeat(64),
    mappingHash: '0'.repeat(64),
    software: 'test',
    readAt: '2026-01-01T00:00:00.000Z',
    readBy: 'nobody',
  },
  minimumCohort: 5,
  conditions: [],
});
/** Rows as a reader gives them: not as many at a time as a batch has. */
function* ages(count: number, first = 0): Generator<OwnPatients> {
  const some = 1000;
  for (let start = 0; start < count; start += some) {
    const indices = Array.from({ length: Math.min(some, count - start) }, (_, i) => start + i);
    yield ownPatients(
      indices.map((i) => ({ AGE: (first + i) % 100 })),
      indices.map((i) => `line ${i + 2}`),
    );
  }
}

const PATIENTS = 2 * set.slots + 10;

test('loading that crashed in the middle of encrypting goes on behind the last batch', async () => {
  const { context, batches, versions, registered, encrypted, failAt } = institution();
  failAt(3);
  await expect(publishRows(context, dataset(ages(PATIENTS)))).rejects.toThrow('the power fails');
  expect([...batches.keys()]).toEqual(['batch-0001']);
  failAt(Infinity);
  const seen: number[] = [];
  await publishRows(context, dataset(ages(PATIENTS)), (patients) => seen.push(patients));
  // Two columns of each of the two batches that were left: the first is not encrypted again.
  expect(encrypted()).toBe(4);
  expect([...batches.values()].map(({ rows }) => rows)).toEqual([set.slots, set.slots, 10]);
  expect(versions).toMatchObject([{ batchIds: ['batch-0001', 'batch-0002', 'batch-0003'] }]);
  expect(registered).toEqual(['ages']);
  expect(seen.at(-1)).toBe(PATIENTS);
});

test('loading that crashed before originals were stored field by field goes on over them, and counts nobody twice', async () => {
  const { context, versions, encrypted, failAt } = institution();
  const severity = {
    ...{ name: 'SEVERITY', kind: 'numeric' as const },
    minimum: 0,
    maximum: 42,
    missing: true,
  };
  const wide = { ...schema, variables: [...schema.variables, severity] };
  const patients = Array.from({ length: PATIENTS }, (_, i) => `line ${i + 2}`);
  // A severity is known from the second batch on: the first one's records did not even name it.
  const records = patients.map((_, i) => ({ AGE: i % 100, ...(i > set.slots && { SEVERITY: i % 43 }) }));
  const resumable = (): StreamedDataset => ({
    ...dataset([ownPatients(records, patients)]),
    schema: wide,
  });
  failAt(6);
  await expect(publishRows(context, resumable())).rejects.toThrow('the power fails');
  const batchIds = ['batch-0001', 'batch-0002', 'batch-0003'];
  for (const [index, batchId] of batchIds.entries()) {
    const name = originalName({ datasetId: 'ages', batchId });
    const stored = await context.originals.read(name);
    if (stored === undefined) continue;
    const { fields: _, ...others } = stored as Record<string, unknown>;
    const own = records.slice(index * set.slots, (index + 1) * set.slots);
    await context.originals.write(name, { ...others, records: own });
  }
  failAt(Infinity);
  await publishRows(context, resumable());
  expect(encrypted()).toBe(2 * 4);
  expect(versions).toMatchObject([{ batchIds }]);
  const own = await Promise.all(
    batchIds.map((batchId) => readOwnBatch(context, { datasetId: 'ages', batchId })),
  );
  expect(own.flatMap((batch) => batch.patients)).toEqual(patients);
  expect(own.flatMap((batch) => batch.fields.get('AGE'))).toEqual(records.map(({ AGE }) => AGE));
});

test('rows are pulled as batches are encrypted, however many there are and however slow the ledger is', async () => {
  const { context, versions } = institution();
  const patients = 14 * set.slots;
  let [pulled, encrypted, furthest] = [0, 0, 0];
  async function* source(): AsyncGenerator<OwnPatients> {
    for (const rows of ages(patients)) {
      pulled += rows.patients.length;
      furthest = Math.max(furthest, pulled - encrypted);
      yield rows;
    }
  }
  await publishRows(context, dataset(source()), (done) => (encrypted = done));
  expect([pulled, encrypted]).toEqual([patients, patients]);
  expect(versions[0]?.batchIds).toHaveLength(14);
  // Five batches, and one piece that is cut in two.
  expect(furthest).toBeLessThanOrEqual(5 * set.slots + 1000);
});

test('several batches are entered by one transaction, none of which is longer than a contract takes', async () => {
  const { context, batches, transactions } = institution();
  await publishRows(context, dataset(ages(17 * set.slots)));
  expect(transactions.map((transaction) => transaction.batches)).toEqual([16, 1]);

  const wide = institution();
  const variables = Array.from({ length: 100 }, (_, i) => ({
    ...{ name: `A_RATHER_LONG_NAME_OF_A_VARIABLE_${i}`, kind: 'numeric' as const, minimum: 0, maximum: 99 },
    missing: true,
  }));
  const patients = Array.from({ length: 8 * set.slots }, (_, i) => `line ${i + 2}`);
  const version = { ...dataset([{ fields: new Map(), patients }]), schema: { ...schema, variables } };
  await publishRows(wide.context, version);
  expect([batches.size, wide.batches.size]).toEqual([17, 8]);
  expect(wide.transactions.length).toBeGreaterThan(1);
  for (const { bytes } of wide.transactions) expect(bytes).toBeLessThan(64 * 1024);
});

test('what the members refuse of a dataset ends its loading, and an empty table asks for no slot', async () => {
  const { context, encrypted, registered } = institution();
  const refused = new Error('NOT_ENROLLED');
  Object.assign(context.consortium.datasets, { register: () => Promise.reject(refused) });
  await expect(publishRows(context, dataset(ages(40 * set.slots)))).rejects.toBe(refused);
  // Long before a transaction of batches is full.
  expect(encrypted()).toBeLessThan(2 * 16);
  const empty = institution();
  await expect(publishRows(empty.context, dataset([]))).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
  expect([registered, empty.registered]).toEqual([[], []]);
});

test('it does not go on with another table, nor publish a dataset twice', async () => {
  const { context, failAt } = institution();
  failAt(3);
  await expect(publishRows(context, dataset(ages(PATIENTS)))).rejects.toThrow('the power fails');
  failAt(Infinity);
  const refused = { code: 'REQUEST_INVALID' };
  await expect(publishRows(context, dataset(ages(PATIENTS, 1)))).rejects.toMatchObject(refused);
  await publishRows(context, dataset(ages(PATIENTS)));
  await expect(publishRows(context, dataset(ages(PATIENTS)))).rejects.toMatchObject({
    ...refused,
    message: expect.stringContaining('published already'),
  });
  await expect(publishRows(institution().context, dataset([]))).rejects.toMatchObject(refused);
});
