/** Datasets and agreements under proof of work: what reads them waits for their block. */
import { consortium, privateRecords, type SealedItem, sealedRoot } from '../src/index.js';
import { Alliance } from './support/alliance.js';
import { cohort } from './support/cohorts.js';
import { PURPOSE } from './support/foundation.js';
import { minedHeader, powParameters } from './support/mining.js';

const { Choose, Seal, Tip, Pending } = consortium.EndorsementContract;
let alliance: Alliance;
beforeAll(async () => {
  alliance = await Alliance.create([cohort(30, 1), cohort(30, 2)], 2);
});
afterAll(() => alliance?.[Symbol.asyncDispose]());

/** The second institution seals everything that is pending. */
async function sealAll(): Promise<SealedItem[]> {
  const miner = alliance.member(1);
  const { items } = await alliance.as(miner, Pending, {});
  const batch = items.map(({ kind, id, digest }) => ({ kind, id, digest }));
  const proof = minedHeader(await alliance.as(miner, Tip, {}), {
    merkleRoot: sealedRoot(batch),
    miner: miner.mspId,
    timestamp: (alliance.ledger.now += 1000),
  });
  await alliance.as(miner, Seal, { proof: Buffer.from(proof).toString('base64'), batch });
  return batch;
}

const submit = (jobId: string) =>
  alliance.ask(consortium.JobContract.Submit, {
    jobId,
    agreementId: 'agreement-1',
    purpose: PURPOSE,
    query: { version: 1, statistics: [{ id: 'n', kind: 'count' }] },
  });

test('only the founder chooses the consortium’s scheme', async () => {
  const request = { scheme: 'pow', parameters: powParameters, depth: 1 };
  await expect(alliance.as(alliance.member(1), Choose, request)).rejects.toThrow('NOT_A_PARTY');
  expect(await alliance.as(alliance.member(0), Choose, request)).toMatchObject({ channel: 'consortium' });
});

test('a dataset is not agreed on, and an agreement permits no job, before they are sealed', async () => {
  await alliance.makeKey();
  await alliance.shareRecords();
  await alliance.request('1');
  await expect(alliance.propose('1')).rejects.toThrow('NOT_CONFIRMED');
  expect((await sealAll()).map(({ kind }) => kind)).toEqual(['dataset', 'dataset']);

  await alliance.propose('1');
  for (const member of alliance.institutions) await alliance.sign('1', member);
  await expect(submit('job-1')).rejects.toThrow('NOT_CONFIRMED');
  expect((await sealAll()).map(({ kind }) => kind)).toEqual(['agreement']);
  expect(await submit('job-1')).toMatchObject({ state: 'SUBMITTED' });
});

test('a later version is of no use before its opening is sealed, and a job on the one before goes on', async () => {
  const owner = alliance.member(0);
  const { datasetId } = owner;
  await alliance.as(owner, privateRecords.RecordsContract.SubmitBatch, {
    ...(await alliance
      .as(owner, privateRecords.RecordsContract.GetBatch, { datasetId, batchId: 'batch-1' })
      .then(({ owner: _, submittedBy: __, submittedAt: ___, ...batch }) => batch)),
    batchId: 'batch-2',
  });
  await alliance.as(owner, consortium.DatasetContract.OpenVersion, { datasetId });
  const [waiting] = (await alliance.as(owner, Pending, {})).items;
  expect(waiting).toMatchObject({ kind: 'dataset', id: `${datasetId}/0000000000000002` });
  await alliance.attestVersion(owner, 2, ['batch-1', 'batch-2']);
  await expect(submit('job-2')).rejects.toThrow(
    `NOT_CONFIRMED: The dataset "${datasetId}/0000000000000002" is PENDING: no block has sealed it.`,
  );
  const { decision } = await alliance.ask(consortium.JobContract.Access, {
    jobId: 'job-1',
    step: 'evaluate',
  });
  expect(decision).toEqual({ allowed: true });
  expect(await sealAll()).toHaveLength(1);
  expect(await submit('job-2')).toMatchObject({ versions: { [datasetId]: { version: 2 } } });
});
