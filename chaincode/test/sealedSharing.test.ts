/** Datasets and agreements under proof of work: what reads them waits for their block. */
import { consortium, type SealedItem, sealedRoot } from '../src/index.js';
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
  const submit = () =>
    alliance.ask(consortium.JobContract.Submit, {
      jobId: 'job-1',
      agreementId: 'agreement-1',
      purpose: PURPOSE,
      query: { version: 1, statistics: [{ id: 'n', kind: 'count' }] },
    });
  await expect(submit()).rejects.toThrow('NOT_CONFIRMED');
  expect((await sealAll()).map(({ kind }) => kind)).toEqual(['agreement']);
  expect(await submit()).toMatchObject({ state: 'SUBMITTED' });
});
