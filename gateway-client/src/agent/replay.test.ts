import {
  batchMerkleRoot,
  datasetMerkleRoot,
  type AggregateRecord,
  type DatasetManifest,
  type JobAccess,
  type PartialsRecord,
} from '@strokeshare/chaincode';
import {
  blobHash,
  decodeBlob,
  packColumns,
  parameterSet,
  parseSchema,
  plan,
  sumOfC0,
  type PatientRecord,
  type Query,
} from '@strokeshare/fhe';
import { makeEpoch, type EpochOfTest } from '../../test/toy-epoch.js';
import type { AgentContext } from './context.js';
import { Evaluators } from './evaluators.js';
import { manifestBlob } from './manifest.js';
import { replayJob } from './replay.js';

const set = parameterSet('toy');
const epochId = 'epoch-1';
const OWNERS = ['Hospital1MSP', 'Hospital2MSP'];
const place = { parameterSetId: set.id, epochId };
const schema = parseSchema({
  name: 'small',
  version: '1',
  variables: [
    { name: 'AGE', kind: 'numeric', minimum: 16, maximum: 99 },
    { name: 'ARM', kind: 'categorical', levels: ['Y', 'N'].map((code) => ({ code, label: code })) },
  ],
});
const query: Query = { version: 1, statistics: [{ id: 'age', kind: 'mean', variable: 'AGE', by: ['ARM'] }] };
const jobPlan = plan(query, [schema, schema], set, { holders: 2, threshold: 2, institutions: 2, batches: 2 });
const cells = jobPlan.cells.map(({ id }) => id);
const value = jobPlan.cells.find(({ kind }) => kind === 'value')!.id;

let epoch: EpochOfTest;
let evaluators: Evaluators;
/** All blobs of all stores, by hash. */
let blobs: Map<string, Uint8Array>;
let access: JobAccess;
let partials: Record<string, PartialsRecord>;
let aggregates: Record<string, AggregateRecord>;

const put = (blob: Uint8Array): string => {
  const hash = blobHash(blob);
  blobs.set(hash, blob);
  return hash;
};
const get = async (hash: string): Promise<Uint8Array> => {
  const blob = blobs.get(hash);
  if (!blob) throw new Error(`no blob ${hash}`);
  return blob;
};
const keys = () => ({
  epochId,
  publicKey: async () => epoch.publicKey,
  relinKeys: async () => epoch.relinKeys,
});

/** The agent of a holder, with a ledger that says what the test wants it to say. */
function holder(): AgentContext {
  return {
    mspId: OWNERS[0],
    store: { get },
    peers: { get: (_: string, hash: string) => get(hash) },
    evaluators,
    evaluations: new Map(),
    consortium: { jobs: { partials: async () => ({ partials }), aggregates: async () => ({ aggregates }) } },
    report: () => undefined,
  } as unknown as AgentContext;
}

/** Encrypts the patients of one owner and gives the dataset as the ledger has it. */
async function publish(owner: string, records: PatientRecord[]): Promise<JobAccess['datasets'][number]> {
  const pool = await evaluators.forEncryption(set, keys());
  const [batch] = packColumns(schema, records, set).batches;
  const encrypted = await pool.encryptColumns(epochId, [...batch!.columns.values()]);
  const columns = Object.fromEntries([...batch!.columns.keys()].map((name, i) => [name, put(encrypted[i]!)]));
  return enter(owner, columns);
}

function enter(owner: string, columns: Record<string, string>): JobAccess['datasets'][number] {
  const merkleRoot = batchMerkleRoot(columns);
  const batches = [{ batchId: 'batch-0001', merkleRoot }];
  const datasetId = `set-of-${owner}`;
  const manifest: DatasetManifest = {
    version: 1,
    datasetId,
    epochId,
    batches: [{ batchId: 'batch-0001', merkleRoot, columns }],
  };
  const manifestHash = put(manifestBlob(place, manifest));
  return { datasetId, owner, manifestHash, merkleRoot: datasetMerkleRoot(batches), batches, schema };
}

const columnsOf = (owner: string): Record<string, string> => {
  const { manifestHash } = access.datasets.find((dataset) => dataset.owner === owner)!;
  const body = decodeBlob(blobs.get(manifestHash)!, { kind: 'manifest', ...place });
  return (JSON.parse(Buffer.from(body).toString()) as DatasetManifest).batches[0]!.columns;
};

async function evaluate(owner: string): Promise<Map<string, Uint8Array>> {
  const pool = await evaluators.forEvaluation(set, keys());
  const batch = new Map(
    await Promise.all(
      Object.entries(columnsOf(owner)).map(async ([name, hash]) => [name, await get(hash)] as const),
    ),
  );
  return pool.evaluate({ plan: jobPlan, cells, epochId, batches: [batch] });
}

/** What honest institutions and contracts would have written. */
async function writeLedger(withheld: string[] = []): Promise<void> {
  const pool = await evaluators.forEvaluation(set, keys());
  partials = {};
  aggregates = {};
  const all: Map<string, Uint8Array>[] = [];
  for (const owner of OWNERS) {
    const results = await evaluate(owner);
    all.push(results);
    const hashes = [...results]
      .filter(([cell]) => !withheld.includes(cell))
      .map(([cell, blob]) => [cell, put(blob)]);
    partials[owner] = { partials: Object.fromEntries(hashes), withheld, at: '' };
  }
  for (const cell of cells.filter((id) => !withheld.includes(id))) {
    const sum = await pool.add(
      epochId,
      all.map((results) => results.get(cell)!),
    );
    const body = decodeBlob(sum, { kind: 'ciphertext', ...place });
    aggregates[cell] = { hash: put(sum), c0: Buffer.from(sumOfC0(body, set)).toString('base64') };
  }
}

beforeAll(async () => {
  epoch = await makeEpoch(set, epochId, OWNERS, 2);
  evaluators = new Evaluators(1);
});
afterAll(() => evaluators[Symbol.asyncDispose]());
beforeEach(async () => {
  blobs = new Map();
  const patients = (age: number): PatientRecord[] => ['Y', 'N', 'Y'].map((ARM, i) => ({ AGE: age + i, ARM }));
  access = {
    job: {
      jobId: 'job-1',
      query,
      planHash: jobPlan.hash,
      participants: OWNERS,
      cells: jobPlan.cells.map(({ id, kind, countCell, primes, scale }) => ({
        id,
        kind,
        countCell,
        primes,
        scale,
      })),
    },
    epoch: { epochId, parameterSetId: set.id, members: OWNERS, threshold: 2 },
    datasets: [await publish(OWNERS[0]!, patients(60)), await publish(OWNERS[1]!, patients(70))],
  } as unknown as JobAccess;
  await writeLedger();
});

const refused = (what: RegExp) => ({ code: 'REPLAY_MISMATCH', message: expect.stringMatching(what) });

test('what everybody did honestly is found again, word for word', async () => {
  const { aggregates: found } = await replayJob(holder(), access);
  expect([...found.keys()]).toEqual(cells);
});

test('cells that somebody withholds are left out', async () => {
  const count = jobPlan.cells.find(({ id }) => id === value)!.countCell;
  await writeLedger([count, value]);
  const { aggregates: found } = await replayJob(holder(), access);
  expect([...found.keys()]).toEqual(cells.filter((id) => id !== count && id !== value));
});

test('a partial that its ciphertexts do not give is refused, naming institution and cell', async () => {
  // A valid ciphertext, only another one: as an attacker would choose it.
  const [one, other] = cells;
  partials[OWNERS[1]!]!.partials[one!] = partials[OWNERS[1]!]!.partials[other!]!;
  await expect(replayJob(holder(), access)).rejects.toMatchObject(refused(/Hospital2MSP posted for cell/));
});

test('an aggregate or a c0 that is not the sum is refused', async () => {
  const honest = aggregates[value]!;
  aggregates[value] = { ...honest, hash: aggregates[cells[0]!]!.hash };
  await expect(replayJob(holder(), access)).rejects.toMatchObject(refused(/is not the partials' sum/));
  aggregates[value] = { ...honest, c0: aggregates[cells[0]!]!.c0 };
  await expect(replayJob(holder(), access)).rejects.toMatchObject(refused(/is not the partials' sum/));
});

test('columns that were exchanged after the dataset was entered are refused', async () => {
  const columns = columnsOf(OWNERS[1]!);
  const forged = enter(OWNERS[1]!, { ...columns, AGE: columns['ARM=Y']! });
  const dataset = access.datasets[1]!;
  // The owner shows another manifest, but the ledger keeps the root.
  dataset.manifestHash = forged.manifestHash;
  await expect(replayJob(holder(), access)).rejects.toMatchObject(
    refused(/Hospital2MSP names other batches/),
  );
});

test('another plan than the one on the job is refused', async () => {
  access.job.planHash = '0'.repeat(64);
  await expect(replayJob(holder(), access)).rejects.toMatchObject(refused(/The plan of job job-1/));
});
