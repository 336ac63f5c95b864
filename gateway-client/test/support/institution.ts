import type { Batch, SubmitBatches } from '@strokeshare/chaincode';
import { parameterSet } from '@strokeshare/fhe';
import type { AgentContext } from '../../src/agent/context.js';
import { LedgerError } from '../../src/connect/index.js';

const set = parameterSet('standard');

/** An institution whose ledger and stores outlive its process; encryption fails when it is told to. */
export function institution() {
  const batches = new Map<string, Batch>();
  /** Of each transaction that entered batches: how many, and its request's length. */
  const transactions: { batches: number; bytes: number }[] = [];
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
        listBatches: async ({ datasetId }: { datasetId: string }) => ({
          items: [...batches.values()].filter((batch) => batch.datasetId === datasetId),
        }),
        submitBatches: async ({ batches: together, ...common }: SubmitBatches) => {
          const request = JSON.stringify({ ...common, batches: together });
          transactions.push({ batches: together.length, bytes: Buffer.byteLength(request) });
          for (const batch of together) {
            if (batches.has(batch.batchId)) throw new Error(`${batch.batchId} is entered twice`);
            batches.set(batch.batchId, { ...common, ...batch } as Batch);
          }
        },
        getVersion: () => Promise.reject(notFound()),
        submitVersion: async (version: { batchIds: string[] }) => void versions.push(version),
      },
    },
  };
  return {
    context: context as unknown as AgentContext,
    ...{ batches, transactions, versions, registered },
    encrypted: () => encrypted,
    failAt(columns: number) {
      encrypted = 0;
      failAt = columns;
    },
  };
}
