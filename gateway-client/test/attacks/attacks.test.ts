/** Attacks on a real network: each is refused with its code, and the honest jobs beside it finish. */
import { generateKeyPairSync } from 'node:crypto';
import { signDetached } from '@strokeshare/chaincode';
import { blobHash } from '@strokeshare/fhe';
import { status } from '@strokeshare/network';
import { openResult } from '../../src/researcher/index.js';
import { count, meanAge, mspOf, NUMBERS, RealAlliance, recordsOf } from './realAlliance.js';

const MINUTES = 4 * 60_000;
let alliance: RealAlliance;
beforeAll(async () => {
  alliance = await RealAlliance.start();
  await alliance.submit('honest', meanAge, 'alice');
}, 2 * MINUTES);
afterAll(() => alliance?.[Symbol.asyncDispose](), 60_000);

const refused = (contractCode: string) => expect.objectContaining({ contractCode });
const researcher = () => alliance.researchers[0]!.client;
const partialsOf = async (jobId: string, number: number): Promise<Record<string, string>> =>
  (await researcher().jobs.partials({ jobId })).partials[mspOf(number)]!.partials;

/** A column of the third hospital, as its own store has it. */
async function columnOf(column: string): Promise<{ name: string; blob: Uint8Array }> {
  const { store, records } = alliance.context(3);
  const { jobs } = alliance.client(3);
  const { datasets } = await jobs.access({ jobId: 'honest', step: 'evaluate' });
  const { datasetId, batches } = datasets.find(({ owner }) => owner === mspOf(3))!;
  const { batchId } = batches[0]!;
  const { columns } = await records.records.getBatch({ datasetId, batchId });
  return { name: `column/${datasetId}/${batchId}/${column}`, blob: await store.get(columns[column]!) };
}

test(
  'a signature of an owner cannot be forged, taken over or replayed',
  async () => {
    // More than the agents sign by themselves: the slots stay empty.
    await alliance.agree('wide', 0, { releaseBudget: 101 });
    const agreementId = 'agreement-wide';
    const contentOf = async (name: string) =>
      (await researcher().agreements.get({ agreementId: `agreement-${name}` })).content;
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const forged = signDetached(await contentOf('wide'), privateKey);
    const others = signDetached(await contentOf('wide'), alliance.context(2).keys.signing.privateKey);
    const replayed = signDetached(await contentOf('alice'), alliance.context(1).keys.signing.privateKey);
    for (const signature of [forged, others, replayed])
      await expect(alliance.client(1).agreements.sign({ agreementId, signature })).rejects.toEqual(
        refused('BAD_SIGNATURE'),
      );
    // And nothing runs under it.
    expect(await alliance.submit('unsigned', meanAge, 'wide')).toMatchObject({
      state: 'REFUSED',
      refusal: { code: 'AGREEMENT_NOT_ACTIVE' },
    });
  },
  MINUTES,
);

test(
  'a ciphertext cannot be swapped in an evaluation',
  async () => {
    alliance.withhold('swapped', 3);
    await alliance.submit('swapped', count('true'), 'alice');
    const [few, many] = [await columnOf('RARE=true'), await columnOf('RARE=false')];
    const evaluate = (blob: Uint8Array) =>
      alliance
        .context(3)
        .records.records.evaluate(
          { jobId: 'swapped', cells: ['RARE=true'] },
          { transient: { [few.name]: blob }, endorsingOrganizations: [mspOf(3)] },
        );
    await expect(evaluate(many.blob)).rejects.toEqual(refused('HASH_MISMATCH'));
    expect(Object.keys((await evaluate(few.blob)).partials)).toEqual(['RARE=true']);
  },
  MINUTES,
);

test(
  'a malformed partial is refused, and a chosen one gets no share',
  async () => {
    for (const jobId of ['malformed', 'chosen']) {
      alliance.withhold(jobId, 3);
      await alliance.submit(jobId, meanAge, 'bob', 1);
    }
    await alliance.until('honest', ({ posted }) => posted.includes(mspOf(3)));
    // A ciphertext that is cut off.
    const { blob } = await columnOf('AGE');
    const cut = blob.subarray(0, blob.length - 8);
    await alliance.context(3).store.put(cut);
    const post = (jobId: string, partials: Record<string, string>) =>
      alliance.client(3).jobs.postPartials({ jobId, partials, withheld: [] });
    await post('malformed', { AGE: blobHash(cut), _row: blobHash(cut) });
    // The right blobs in each other's place.
    const { AGE, _row } = await partialsOf('honest', 3);
    await post('chosen', { AGE: _row!, _row: AGE! });

    // Nobody adds the first; the second is added, and the holders find that it is not what its ciphertexts give.
    await alliance.setAside('malformed', 1);
    expect((await researcher().jobs.aggregates({ jobId: 'malformed' })).aggregates).toEqual({});
    for (const holder of [1, 2])
      expect(await alliance.setAside('chosen', holder)).toMatch(
        /^The partial that Hospital3MSP posted for cell/,
      );
    expect((await researcher().jobs.shares({ jobId: 'chosen' })).countShares).toEqual({});
  },
  MINUTES,
);

test(
  'the honest job beside them is released, and what it leaves open is not',
  async () => {
    const job = await alliance.ended('honest');
    expect(job).toMatchObject({ state: 'RELEASED', outcomes: { _row: { status: 'PASSED', count: 180 } } });
    const { plan, values } = await openResult(alliance.researchers[0]!, 'honest');
    const { middle, half } = plan.scaling['AGE']!;
    const ages = NUMBERS.flatMap((number) => recordsOf(number).map(({ AGE }) => Number(AGE)));
    const { value, deviation } = values.get('AGE')!;
    const sum = ages.reduce((total, age) => total + (age - middle) / half, 0);
    expect(Math.abs(value - sum)).toBeLessThan(8 * deviation);

    // Few patients; and all but the few, asked for by a colleague: the difference would be theirs.
    await alliance.submit('small', count('true'), 'alice');
    await alliance.submit('colluding', count('false'), 'bob', 1);
    for (const jobId of ['small', 'colluding']) {
      const { state, outcomes = {} } = await alliance.ended(jobId);
      expect(state).toBe('SUPPRESSED');
      for (const outcome of Object.values(outcomes)) expect(outcome).toEqual({ status: 'SUPPRESSED' });
    }
    const { opened, valueShares } = await researcher().jobs.shares({ jobId: 'colluding' });
    expect(valueShares).toEqual({});
    for (const { shares } of Object.values(opened)) expect(shares).toEqual({});
  },
  MINUTES,
);

test(
  'shares and verdicts of one job say nothing in another',
  async () => {
    alliance.withhold('foreign', 3);
    await alliance.submit('foreign', meanAge, 'alice');
    await alliance.until('foreign', ({ posted }) => posted.length === 2);
    alliance.withhold('foreign', 2);
    alliance.release('foreign', 3);
    await alliance.until('foreign', ({ state }) => state === 'AGGREGATED');
    const { countShares, verdicts } = await researcher().jobs.shares({ jobId: 'honest' });
    const { sealed } = countShares[mspOf(2)]!;
    await alliance.client(2).jobs.postCountShares({ jobId: 'foreign', sealed });
    // The other holder does not open what was sealed to it for another job.
    expect(await alliance.setAside('foreign', 1)).toMatch(/does not open/);
    const { verdicts: passes, signature } = verdicts[mspOf(2)]!;
    const judge = alliance.client(2).jobs.postVerdict({ jobId: 'foreign', verdicts: passes, signature });
    await expect(judge).rejects.toEqual(refused('BAD_SIGNATURE'));
  },
  MINUTES,
);

test(
  'a contract process that is killed comes back and computes the same bytes, as every organisation’s does',
  async () => {
    const hashesOf = async (jobId: string) => ({
      partials: await Promise.all(NUMBERS.map((number) => partialsOf(jobId, number))),
      aggregates: (await researcher().jobs.aggregates({ jobId })).aggregates,
    });
    const before = await status(alliance.network);
    if (before.state !== 'running') throw new Error(`The network is ${before.state}.`);
    const victims = before.daemon.processes.filter(({ mspId }) => mspId === mspOf(1));
    expect(victims.map(({ label }) => label).sort()).toEqual(['consortium_0.1.0', 'records_0.1.0']);
    for (const { pid } of victims) process.kill(pid!, 'SIGKILL');
    // Posted and added once more, by fresh processes of the first hospital and old ones of the others.
    await alliance.submit('again', meanAge, 'alice');
    expect((await alliance.ended('again')).state).toBe('RELEASED');
    expect(await hashesOf('again')).toEqual(await hashesOf('honest'));

    // Each organisation's process alone, as a simulation: whole answers are compared, byte for byte.
    const answers = await Promise.all(
      NUMBERS.map(async (number) =>
        JSON.stringify(await alliance.client(number).jobs.get({ jobId: 'again' })),
      ),
    );
    expect(new Set(answers).size).toBe(1);
  },
  MINUTES,
);

test(
  'nothing is computed under a key epoch that is retired',
  async () => {
    // It cannot end before: one institution's part is missing.
    alliance.withhold('late', 3);
    await alliance.submit('late', meanAge, 'alice');
    await alliance.client(1).epochs.retire({ epochId: 'epoch-1', reason: 'The schedule says so.' });
    expect(await alliance.ended('late')).toMatchObject({
      state: 'REFUSED',
      refusal: { code: 'EPOCH_NOT_ACTIVE' },
    });
    expect(await alliance.submit('stale', meanAge, 'alice')).toMatchObject({
      state: 'REFUSED',
      refusal: { step: 'submit', code: 'EPOCH_NOT_ACTIVE' },
    });
  },
  MINUTES,
);
