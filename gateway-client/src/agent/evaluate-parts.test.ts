import type { Evaluate, EvaluateResponse, JobAccess } from '@strokeshare/chaincode';
import { blobHash, packColumns, parameterSet, parseSchema, plan, type Query } from '@strokeshare/fhe';
import { makeEpoch } from '../../test/toy-epoch.js';
import { LedgerError } from '../connect/index.js';
import type { AgentContext } from './context.js';
import { evaluateTwice } from './evaluate-parts.js';
import { Evaluators, type EpochKeys } from './evaluators.js';
import type { CheckedBatch } from './job-blobs.js';

const OWNER = 'Hospital1MSP';
const BATCHES = 3;
const set = parameterSet('toy');
const epochId = 'epoch-1';
const schema = parseSchema({
  name: 'small',
  version: '1',
  variables: [
    { name: 'AGE', kind: 'numeric', minimum: 16, maximum: 99 },
    { name: 'ARM', kind: 'categorical', levels: ['Y', 'N'].map((code) => ({ code, label: code })) },
  ],
});
const query: Query = { version: 1, statistics: [{ id: 'age', kind: 'mean', variable: 'AGE', by: ['ARM'] }] };
const jobPlan = {
  plan: plan(query, [schema], set, { holders: 2, threshold: 2, institutions: 1, batches: BATCHES }),
  set,
};
const cells = jobPlan.plan.cells.map(({ id }) => id);
const parts = [
  { cells, from: 0, until: 1 },
  { cells, from: 1, until: 2 },
  { cells, from: 2, until: BATCHES },
];

let evaluators: Evaluators;
let keys: EpochKeys;
let batches: CheckedBatch[];
let access: JobAccess;
let context: AgentContext;
let asked: Evaluate[];
/** What the contract's process holds and answers; a test may change it. */
let holdsKey: boolean;
let answered: (response: EvaluateResponse) => EvaluateResponse;
const blobs = new Map<string, Uint8Array>();
const put = (blob: Uint8Array): string => {
  blobs.set(blobHash(blob), blob);
  return blobHash(blob);
};
const get = async (hash: string): Promise<Uint8Array> => blobs.get(hash)!;

/** The contract, as far as the agent sees it: what is in the transient data is all that it has. */
async function contract(
  request: Evaluate,
  { transient = {} }: { transient?: Record<string, Uint8Array> },
): Promise<EvaluateResponse> {
  asked.push(request);
  holdsKey ||= transient['relinKeys'] !== undefined;
  if (!holdsKey)
    throw new LedgerError('CONTRACT_REFUSED', 'No key.', {
      stage: 'endorse',
      safeToRetry: true,
      contractCode: 'KEY_NEEDED',
    });
  const { from = 0, until = BATCHES } = request;
  const columns = new Map<string, Map<string, Uint8Array>>();
  for (const [name, blob] of Object.entries(transient)) {
    const [kind, , batchId, column] = name.split('/');
    if (kind !== 'column') continue;
    columns.set(batchId!, (columns.get(batchId!) ?? new Map<string, Uint8Array>()).set(column!, blob));
  }
  expect([...columns.keys()]).toEqual(batches.slice(from, until).map(({ batchId }) => batchId));
  const pool = await evaluators.forEvaluation(set, keys);
  const results = await pool.evaluatePart({
    plan: jobPlan.plan,
    cells: request.cells,
    epochId,
    batches: columns.values(),
    running:
      from > 0 ? new Map(request.cells.map((cell) => [cell, transient[`running/${cell}`]!])) : undefined,
    last: until === BATCHES,
  });
  const hashes = Object.fromEntries([...results].map(([cell, blob]) => [cell, blobHash(blob)]));
  const { jobId } = request;
  return answered(until === BATCHES ? { jobId, partials: hashes } : { jobId, partials: {}, running: hashes });
}

beforeAll(async () => {
  const epoch = await makeEpoch(set, epochId, [OWNER, 'Hospital2MSP'], 2);
  evaluators = new Evaluators(1);
  keys = { epochId, publicKey: async () => epoch.publicKey, relinKeys: async () => epoch.relinKeys };
  const pool = await evaluators.forEncryption(set, keys);
  await evaluators.forEvaluation(set, keys);
  batches = await Promise.all(
    Array.from({ length: BATCHES }, async (_, i) => {
      const records = ['Y', 'N', 'Y'].map((ARM, k) => ({ AGE: 20 + 10 * i + k, ARM }));
      const [batch] = packColumns(schema, records, set).batches;
      const encrypted = await pool.encryptColumns(epochId, [...batch!.columns.values()]);
      const columns = Object.fromEntries(
        [...batch!.columns.keys()].map((name, n) => [name, put(encrypted[n]!)]),
      );
      const claim = { kind: 'job' as const, jobId: 'job-1' };
      return { owner: OWNER, datasetId: 'd', batchId: `b${i}`, columns, claim };
    }),
  );
  access = { job: { jobId: 'job-1' }, epoch: { epochId, relinKeysHash: put(epoch.relinKeys) } } as JobAccess;
  context = {
    mspId: OWNER,
    store: { get },
    evaluators,
    records: { records: { evaluate: contract } },
  } as unknown as AgentContext;
});
afterAll(() => evaluators[Symbol.asyncDispose]());
beforeEach(() => {
  asked = [];
  holdsKey = false;
  answered = (response) => response;
});

test('what is too much for one transaction goes through several, and comes to the bytes of one evaluation', async () => {
  const pool = await evaluators.forEvaluation(set, keys);
  const columns = await Promise.all(
    batches.map(async (batch) => {
      const read = Object.entries(batch.columns).map(
        async ([name, hash]) => [name, await get(hash)] as const,
      );
      return new Map(await Promise.all(read));
    }),
  );
  const whole = await pool.evaluate({ plan: jobPlan.plan, cells, epochId, batches: columns });
  expect(await evaluateTwice(context, access, jobPlan, parts, batches)).toEqual(whole);
  // The first is asked twice: the contract had no key yet.
  expect(asked.map(({ from, until }) => [from, until])).toEqual([
    [0, 1],
    [0, 1],
    [1, 2],
    [2, 3],
  ]);
});

test('a contract that comes to another partial is found out', async () => {
  answered = ({ partials, ...rest }) => ({
    ...rest,
    partials: Object.fromEntries(Object.keys(partials).map((cell) => [cell, '0'.repeat(64)])),
  });
  await expect(evaluateTwice(context, access, jobPlan, parts, batches)).rejects.toMatchObject({
    code: 'REPLAY_MISMATCH',
  });
});

test('a contract that adds otherwise is found out at the next stretch', async () => {
  answered = ({ running, ...rest }) => ({
    ...rest,
    ...(running && { running: { ...running, [cells[0]!]: '0'.repeat(64) } }),
  });
  await expect(evaluateTwice(context, access, jobPlan, parts, batches)).rejects.toMatchObject({
    code: 'REPLAY_MISMATCH',
  });
  expect(asked).toHaveLength(2);
});
