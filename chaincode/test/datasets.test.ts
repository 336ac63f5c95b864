import { type AnalysisQuery } from '@strokeshare/fhe';
import { closeEvaluators } from '../src/evaluation/evaluators.js';
import { batchMerkleRoot, consortium, privateRecords } from '../src/index.js';
import { Alliance, EPOCH } from './support/alliance.js';
import { cohort } from './support/cohorts.js';
import { PROVENANCE } from './support/foundation.js';

const { DatasetContract, JobContract, KeyEpochContract } = consortium;
const { RecordsContract } = privateRecords;
const meanAge: AnalysisQuery = { version: 1, statistics: [{ id: 'age', kind: 'mean', variable: 'AGE' }] };
const hash = (letter: string): string => letter.repeat(64);
const later = (alliance: Alliance): string => new Date(alliance.ledger.now + 86_400_000).toISOString();

let alliance: Alliance;
let jobs = 0;
beforeAll(async () => {
  alliance = await Alliance.ready([cohort(40, 1), cohort(40, 2)], 2);
});
afterAll(async () => {
  await alliance?.[Symbol.asyncDispose]();
  await closeEvaluators();
});

const owner = () => alliance.member(0);
const get = () => alliance.ask(DatasetContract.Get, { datasetId: 'ist-1' });
const openVersion = () => alliance.as(owner(), DatasetContract.OpenVersion, { datasetId: 'ist-1' });
/** A batch of ciphertexts that nobody evaluates. */
const enter = (batchId: string, changes: object = {}) => {
  const columns = { AGE: hash('a'), [batchId]: hash('b') };
  return alliance.as(owner(), RecordsContract.SubmitBatch, {
    batchId,
    datasetId: 'ist-1',
    epochId: EPOCH,
    manifestHash: hash('0'),
    merkleRoot: batchMerkleRoot(columns),
    rows: 10,
    columns,
    provenance: PROVENANCE,
    ...changes,
  });
};
/** Several at once, with what a batch has of its own. */
const enterTogether = (batches: { batchId: string; merkleRoot?: string }[]) =>
  alliance.as(owner(), RecordsContract.SubmitBatches, {
    ...{ datasetId: 'together', epochId: EPOCH, provenance: PROVENANCE },
    batches: batches.map(({ batchId, ...changes }) => {
      const columns = { AGE: hash('a'), [batchId]: hash('b') };
      const merkleRoot = batchMerkleRoot(columns);
      return { batchId, manifestHash: hash('0'), merkleRoot, rows: 10, columns, ...changes };
    }),
  });
const submitVersion = (version: number, batchIds: string[], epochId = EPOCH) =>
  alliance.as(owner(), RecordsContract.SubmitVersion, {
    datasetId: 'ist-1',
    version,
    epochId,
    manifestHash: hash('c'),
    batchIds,
  });
const attestRequest = (version: number) => ({
  datasetId: 'ist-1',
  version,
  recordsChannel: 'hospital1-records',
  block: 7,
});
const attest = (version: number, index = 0, changes: object = {}) =>
  alliance.as(alliance.member(index), DatasetContract.Attest, { ...attestRequest(version), ...changes });
const submitJob = () => alliance.submit(`pinned-${++jobs}`, meanAge);
const evaluationOf = async (jobId: string) => {
  const { decision } = await alliance.ask(JobContract.Access, { jobId, step: 'evaluate' });
  return decision.allowed ? 'ALLOWED' : decision.refusal.code;
};

describe('a dataset’s entry', () => {
  it('has a slot that its owner’s peer alone endorses, and the attestation writes no other key', async () => {
    const { current } = await get();
    const registration = await alliance.ledger.simulate(
      DatasetContract.Register,
      {
        datasetId: 'new',
        title: 'New',
        schema: (await get()).schema,
        minimumCohort: 5,
        conditions: ['DUO:0000042'],
      },
      { identity: owner().agent },
    );
    expect([...registration.policies.keys()].map((key) => key.split('\0'))).toEqual([
      ['', 'dataset.version', 'new', '0000000000000001', ''],
    ]);
    expect([...registration.policies.values()][0]!.toString()).toContain('Hospital1MSP');

    await enter('batch-2');
    await openVersion();
    const recorded = await submitVersion(2, ['batch-1', 'batch-2']);
    const { writes, policies, response } = await alliance.ledger.simulate(
      DatasetContract.Attest,
      attestRequest(2),
      { identity: owner().agent },
    );
    expect([...writes.keys()].map((key) => key.split('\0'))).toEqual([
      ['', 'dataset.version', 'ist-1', '0000000000000002', ''],
    ]);
    expect(policies.size).toBe(0);
    const { owner: _, recordedAt: __, ...content } = recorded;
    expect(response).toMatchObject({ ...content, change: 'APPEND', block: 7 });
    // Until it is attested, the version before serves.
    expect((await get()).current).toEqual(current);
    await attest(2);
    expect((await get()).current).toMatchObject({ version: 2, merkleRoot: recorded.merkleRoot });
  });

  it('takes the batches of a million patients in one version', async () => {
    const datasetId = 'large';
    const batchIds = Array.from({ length: 123 }, (_, i) => `batch-${String(i + 1).padStart(4, '0')}`);
    for (const batchId of batchIds) await enter(batchId, { datasetId, rows: 8192 });
    const version = { datasetId, version: 1, epochId: EPOCH, manifestHash: hash('c') };
    const { batches, countsBand } = await alliance.as(owner(), RecordsContract.SubmitVersion, {
      ...version,
      batchIds,
    });
    expect(batches).toHaveLength(123);
    expect(countsBand).toEqual({ minimum: 1_007_000, maximum: 1_008_000 });
  });

  it('is attested once, in order, by its owner, of what its own channel says', async () => {
    await expect(attest(2)).rejects.toThrow('ALREADY_EXISTS');
    await expect(attest(1)).rejects.toThrow('ILLEGAL_STATE');
    await expect(attest(2, 1)).rejects.toThrow('NOT_A_PARTY');
    await openVersion();
    await expect(openVersion()).rejects.toThrow('ILLEGAL_STATE: Version 3');
    await expect(
      alliance.as(alliance.member(1), DatasetContract.OpenVersion, { datasetId: 'ist-1' }),
    ).rejects.toThrow('NOT_A_PARTY');
    // Nothing is recorded as version 3, neither here nor on another's channel.
    await expect(attest(3)).rejects.toThrow('NOT_FOUND');
    await expect(attest(3, 0, { recordsChannel: 'hospital2-records' })).rejects.toThrow('NOT_FOUND');
    await expect(attest(3, 0, { merkleRoot: hash('d') })).rejects.toThrow('BAD_REQUEST');
    await expect(attest(3, 0, { block: 0 })).rejects.toThrow('BAD_REQUEST');
  });

  it('does not count in a slot whose owner wrote something else there', async () => {
    const { current } = await get();
    const job = await submitJob();
    expect(job.versions['ist-1']).toEqual({ version: 2, merkleRoot: current!.merkleRoot });
    const [key, value] = [...alliance.ledger.state('consortium')].find(([name]) =>
      name.includes('dataset.version\0ist-1\x000000000000000002'),
    )!;
    const overwrite = (text: string) =>
      alliance.ledger.commit({
        channel: 'consortium',
        response: undefined,
        reads: new Map(),
        writes: new Map([[key, Buffer.from(text)]]),
        policies: new Map(),
        event: undefined,
      });
    // Another root, another version's content, another root with batches that fit it.
    overwrite(value.replaceAll(current!.merkleRoot, hash('e')));
    expect((await get()).current?.version).not.toBe(2);
    expect(await evaluationOf(job.jobId)).toBe('DATASET_NOT_AVAILABLE');
    const first = await alliance.ask(DatasetContract.GetVersion, { datasetId: 'ist-1', version: 1 });
    overwrite(JSON.stringify(first));
    expect((await get()).current?.version).not.toBe(2);
    overwrite(JSON.stringify({ ...first, version: 2 }));
    expect(await evaluationOf(job.jobId)).toBe('DATASET_NOT_AVAILABLE');
    overwrite(value);
    expect(await evaluationOf(job.jobId)).toBe('ALLOWED');
  });
});

describe('batches and versions on the private channel', () => {
  it('are checked: root, order, epoch, and that what is left out has ended', async () => {
    await expect(enter('batch-3', { merkleRoot: hash('0') })).rejects.toThrow('HASH_MISMATCH');
    await expect(enter('batch-2')).rejects.toThrow('ALREADY_EXISTS');
    await expect(enter('batch-3', { provenance: { ...PROVENANCE, sourceHash: 'x' } })).rejects.toThrow(
      'BAD_REQUEST',
    );
    await expect(submitVersion(3, ['batch-2', 'batch-1'])).rejects.toThrow('BAD_REQUEST');
    await expect(submitVersion(3, ['batch-1', 'batch-2'])).rejects.toThrow(
      'BAD_REQUEST: The version has the batches',
    );
    await expect(submitVersion(3, ['batch-1'])).rejects.toThrow('BAD_REQUEST: The batch batch-2 is left out');
    await expect(submitVersion(3, ['batch-1', 'batch-9'])).rejects.toThrow('NOT_FOUND');
    await expect(submitVersion(3, ['batch-1', 'batch-2'], 'epoch-9')).rejects.toThrow('BAD_REQUEST');
    await expect(submitVersion(5, ['batch-1'])).rejects.toThrow('NOT_FOUND');
  });

  it('are entered several at once as they are one by one, and all or none', async () => {
    const datasetId = 'together';
    const get = (batchId: string) => alliance.as(owner(), RecordsContract.GetBatch, { datasetId, batchId });
    const [first, second] = [{ batchId: 'b-1' }, { batchId: 'b-2' }];
    await expect(enterTogether([first, { ...second, merkleRoot: hash('0') }])).rejects.toThrow(
      'HASH_MISMATCH: The Merkle root of the batch b-2',
    );
    await expect(enterTogether([first, second, first])).rejects.toThrow(
      'BAD_REQUEST: RecordsContract:SubmitBatches: batches: a batch is named twice',
    );
    await expect(enterTogether([])).rejects.toThrow('BAD_REQUEST');
    await enter('b-2', { datasetId });
    await expect(enterTogether([first, second])).rejects.toThrow('ALREADY_EXISTS');
    await expect(get('b-1')).rejects.toThrow('NOT_FOUND');

    const third = { batchId: 'b-3' };
    expect(await enterTogether([first, third])).toMatchObject({ datasetId, batchIds: ['b-1', 'b-3'] });
    const { submittedAt: _, batchId: __, columns: ___, merkleRoot: ____, ...alone } = await get('b-2');
    const columns = { AGE: hash('a'), 'b-3': hash('b') };
    const merkleRoot = batchMerkleRoot(columns);
    expect(await get('b-3')).toMatchObject({ ...alone, ...third, columns, merkleRoot });
    const version = { datasetId, version: 1, epochId: EPOCH, manifestHash: hash('c') };
    const batchIds = ['b-1', 'b-2', 'b-3'];
    const recorded = await alliance.as(owner(), RecordsContract.SubmitVersion, { ...version, batchIds });
    expect(recorded.batches).toHaveLength(3);
  });

  it('are listed by dataset, a page at a time', async () => {
    const list = async (request: object) => {
      const { items, next } = await alliance.as(owner(), RecordsContract.ListBatches, request);
      return { ids: items.map(({ datasetId, batchId }) => `${datasetId}/${batchId}`), next };
    };
    const all = ['together/b-1', 'together/b-2', 'together/b-3'];
    expect(await list({ datasetId: 'together' })).toEqual({ ids: all });
    const first = await list({ datasetId: 'together', limit: 2 });
    expect(first.ids).toEqual(all.slice(0, 2));
    expect(await list({ datasetId: 'together', after: first.next })).toEqual({ ids: all.slice(2) });
    expect(await list({ datasetId: 'toge' })).toEqual({ ids: [] });
    expect((await list({ limit: 2 })).ids).toEqual(['ist-1/batch-1', 'ist-1/batch-2']);
    expect((await list({ after: 'together', limit: 3 })).ids).toEqual(all);
  });

  it('record a correction; a running job goes on with the version that it pinned', async () => {
    const before = await submitJob();
    const supersedes = { batchId: 'batch-2', reason: 'CORRECTION' as const, retainUntil: later(alliance) };
    await expect(enter('batch-3', { supersedes: { ...supersedes, reason: 'EPOCH' } })).rejects.toThrow(
      'BAD_REQUEST',
    );
    await expect(
      enter('batch-3', { supersedes: { ...supersedes, retainUntil: '2020-01-01T00:00:00Z' } }),
    ).rejects.toThrow('BAD_REQUEST');
    await enter('batch-3', { supersedes });
    await expect(enter('batch-4', { supersedes })).rejects.toThrow('ILLEGAL_STATE');
    await expect(submitVersion(3, ['batch-1', 'batch-2', 'batch-3'])).rejects.toThrow('ILLEGAL_STATE');
    expect(await submitVersion(3, ['batch-1', 'batch-3'])).toMatchObject({
      change: 'CORRECTION',
      usableFrom: 1,
    });
    await attest(3);
    const batch = await alliance.as(owner(), RecordsContract.GetBatch, {
      datasetId: 'ist-1',
      batchId: 'batch-2',
    });
    expect(batch).toMatchObject({
      submittedBy: 'CN=agent,OU=client',
      end: { by: 'batch-3', reason: 'CORRECTION' },
    });
    const access = await alliance.ask(JobContract.Access, { jobId: before.jobId, step: 'evaluate' });
    expect(access.decision.allowed).toBe(true);
    expect(access.datasets[0]!.batches.map(({ batchId }) => batchId)).toEqual(['batch-1', 'batch-2']);
    expect((await submitJob()).versions['ist-1']!.version).toBe(3);
  });

  it('take a patient out at once: jobs on earlier versions stop, and the past results are listed', async () => {
    const running = await submitJob();
    const retainUntil = later(alliance);
    await alliance.as(owner(), RecordsContract.TombstoneBatch, {
      datasetId: 'ist-1',
      batchId: 'batch-3',
      reason: 'CONSENT',
      note: 'Withdrawn in writing.',
      retainUntil,
    });
    // The owner's own channel refuses before the new version is attested.
    const evaluate = alliance.as(owner(), RecordsContract.Evaluate, {
      jobId: running.jobId,
      cells: [running.cells[0]!.id],
    });
    await expect(evaluate).rejects.toThrow('NOT_PERMITTED: Consent was withdrawn');
    expect(await evaluationOf(running.jobId)).toBe('ALLOWED');
    await openVersion();
    expect(await submitVersion(4, ['batch-1'])).toMatchObject({ change: 'CONSENT', usableFrom: 4 });
    await attest(4);
    expect(await evaluationOf(running.jobId)).toBe('DATASET_NOT_AVAILABLE');
    expect((await submitJob()).versions['ist-1']!.version).toBe(4);

    const uses = async (batchId?: string) => {
      const { items } = await alliance.ask(DatasetContract.ListUses, {
        datasetId: 'ist-1',
        ...(batchId && { batchId }),
      });
      return items.map(({ version }) => version);
    };
    expect(await uses()).toEqual([2, 2, 3, 3, 4]);
    expect(await uses('batch-2')).toEqual([2, 2]);
    expect(await uses('batch-3')).toEqual([3, 3]);
    const page = await alliance.ask(DatasetContract.ListUses, { datasetId: 'ist-1', limit: 2 });
    const rest = await alliance.ask(DatasetContract.ListUses, { datasetId: 'ist-1', after: page.next! });
    expect([page.items.length, rest.items.length]).toEqual([2, 3]);
    const versions = await alliance.ask(DatasetContract.ListVersions, { datasetId: 'ist-1' });
    expect(versions.items.map(({ change }) => change)).toEqual(['FIRST', 'APPEND', 'CORRECTION', 'CONSENT']);
  });
});

describe('an epoch that ended', () => {
  it('attests nothing any more, and no job uses it', async () => {
    const job = await submitJob();
    await enter('batch-5');
    await openVersion();
    await submitVersion(5, ['batch-1', 'batch-5']);
    await alliance.as(alliance.member(1), KeyEpochContract.Retire, {
      epochId: EPOCH,
      reason: 'Lost a share.',
    });
    await expect(attest(5)).rejects.toThrow('ILLEGAL_STATE: The key epoch is RETIRED');
    expect(await evaluationOf(job.jobId)).toBe('EPOCH_NOT_ACTIVE');
  });
});
