import type { Batch } from '@strokeshare/chaincode';
import { parameterSet, type Schema } from '@strokeshare/fhe';
import { LedgerError } from '../connect/index.js';
import type { AgentContext } from './context.js';
import { publishRows, type OwnRow, type StreamedDataset } from './publish.js';

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
function* ages(count: number, first = 0): Generator<OwnRow[]> {
  const some = 1000;
  for (let start = 0; start < count; start += some)
    yield Array.from({ length: Math.min(some, count - start) }, (_, i) => ({
      values: { AGE: (first + start + i) % 100 },
      patient: `line ${start + i + 2}`,
    }));
}

/** An institution whose ledger and stores outlive its process; encryption fails when it is told to. */
function institution() {
  const batches = new Map<string, Batch>();
  const versions: { batchIds: string[] }[] = [];
  const originals = new Map<string, unknown>();
  const registered: string[] = [];
  let encrypted = 0;
  let failAt = Infinity;
  const notFound = () =>
    new LedgerError('REQUEST_INVALID', 'There is none.', {
      ...{ stage: 'evaluate', safeToRetry: false },
      contractCode: 'NOT_FOUND',
    });
  const context = {
    mspId: 'Hospital1MSP',
    signal: new AbortController().signal,
    report: () => undefined,
    ownColumns: new Map(),
    store: { put: async () => 'a'.repeat(64) },
    originals: {
      write: async (name: string, value: unknown) => void originals.set(name, structuredClone(value)),
      read: async (name: string) => originals.get(name),
    },
    evaluators: {
      forEncryption: async () => ({
        encryptColumns: async (_: string, columns: Float64Array[]) => {
          encrypted += columns.length;
          if (encrypted > failAt) throw new Error('the power fails');
          return columns.map(() => new Uint8Array(1));
        },
      }),
    },
    consortium: {
      epochs: {
        get: async () => ({
          epochId: 'epoch-1',
          state: 'ACTIVE',
          members: [],
          confirmations: {},
          parameterSetId: set.id,
        }),
      },
      datasets: {
        get: async () => {
          if (registered.length === 0) throw notFound();
          return { versions: versions.length, ...(versions.length > 0 && { current: { version: 1 } }) };
        },
        register: async ({ datasetId }: { datasetId: string }) => void registered.push(datasetId),
        openVersion: async () => undefined,
        attest: async () => ({ change: 'CREATED' }),
      },
    },
    records: {
      channel: 'hospital1-records',
      blockOf: async () => 1n,
      records: {
        listBatches: async () => ({ items: [...batches.values()] }),
        submitBatch: async (batch: Batch) => {
          if (batches.has(batch.batchId)) throw new Error(`${batch.batchId} is entered twice`);
          batches.set(batch.batchId, batch);
          return batch;
        },
        getVersion: () => Promise.reject(notFound()),
        submitVersion: async (version: { batchIds: string[] }) => void versions.push(version),
      },
    },
  };
  return {
    context: context as unknown as AgentContext,
    ...{ batches, versions, registered },
    encrypted: () => encrypted,
    failAt(columns: number) {
      encrypted = 0;
      failAt = columns;
    },
  };
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
