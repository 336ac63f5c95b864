import { blobHash } from '@strokeshare/fhe';
import { closeEvaluators } from '../src/evaluation/evaluators.js';
import { consortium, type JobView } from '../src/index.js';
import { Alliance } from './support/alliance.js';
import { byType, cellOf, cohorts, idsOf } from './support/smallGroups.js';

const { JobContract } = consortium;

describe('aggregation under attack', () => {
  let alliance: Alliance;
  beforeAll(async () => {
    alliance = await Alliance.ready(cohorts, 2);
  });
  afterAll(async () => {
    await alliance?.[Symbol.asyncDispose]();
    await closeEvaluators();
  });
  let job: JobView;
  let blobs: Record<string, Uint8Array>;
  beforeAll(async () => {
    job = await alliance.submit('g-1', byType);
    await alliance.evaluate(job, alliance.member(0));
    await alliance.evaluate(job, alliance.member(1));
  });
  const aggregate = (transient: Record<string, Uint8Array>, cells: string[], index = 0) =>
    alliance.as(alliance.member(index), JobContract.Aggregate, { jobId: 'g-1', cells }, transient);

  it('waits for everyone', async () => {
    await expect(aggregate({}, idsOf(job))).rejects.toThrow(
      'PARTIALS_MISSING: The partials of Hospital3MSP are not posted.',
    );
  });

  it('takes all cells of every institution, once', async () => {
    const [, ...some] = idsOf(job);
    const hashes = Object.fromEntries(some.map((id) => [id, '0'.repeat(64)]));
    const post = (partials: Record<string, string>, withheld: string[] = [], index = 2) =>
      alliance.as(alliance.member(index), JobContract.PostPartials, { jobId: 'g-1', partials, withheld });
    await expect(post(hashes)).rejects.toThrow('BAD_REQUEST');
    await expect(post({ ...hashes, [idsOf(job)[0]!]: '0'.repeat(64), more: '0'.repeat(64) })).rejects.toThrow(
      'BAD_REQUEST',
    );
    await expect(post({ ...hashes, [idsOf(job)[0]!]: '0'.repeat(64) }, [some[0]!])).rejects.toThrow(
      'BAD_REQUEST',
    );
    await alliance.evaluate(job, alliance.member(2));
    // A retry finds its own words; other words do not replace them.
    await expect(alliance.evaluate(job, alliance.member(2))).resolves.toBeUndefined();
    await expect(post({ ...hashes, [idsOf(job)[0]!]: '0'.repeat(64) })).rejects.toThrow('ALREADY_EXISTS');
    blobs = await alliance.partialBlobs('g-1');
  });

  it('is the first participant’s, until a delay has passed', async () => {
    await expect(aggregate(blobs, [cellOf('LACS')], 1)).rejects.toThrow('TOO_EARLY');
    alliance.ledger.now += 11 * 60_000;
    await expect(aggregate(blobs, [cellOf('LACS')], 1)).resolves.toMatchObject({ state: 'EVALUATING' });
    // Once more, by the first or anybody, is no change.
    const { aggregates } = await aggregate({}, [cellOf('LACS')]);
    const known = await alliance.ask(JobContract.Aggregates, { jobId: 'g-1' });
    expect(aggregates).toEqual(known.aggregates);
  });

  it('refuses a partial that is not the posted one', async () => {
    const cell = cellOf('PACS');
    const name = `partial/${cell}/Hospital2MSP`;
    const other = blobs[`partial/${cell}/Hospital3MSP`]!;
    await expect(aggregate({ ...blobs, [name]: other }, [cell])).rejects.toThrow('HASH_MISMATCH');
    const { [name]: _, ...rest } = blobs;
    await expect(aggregate(rest, [cell])).rejects.toThrow('BLOB_MISSING');
    await expect(aggregate(blobs, ['nothing'])).rejects.toThrow('BAD_REQUEST');
  });

  it('refuses a posted partial that is no ciphertext at the cell’s level, and names it', async () => {
    const bad = await alliance.submit('g-2', byType);
    for (const [i, member] of alliance.institutions.entries()) {
      if (i > 0) {
        await alliance.evaluate(bad, member);
        continue;
      }
      // A fresh column has more primes than a partial.
      const fresh = member.columns.get('column/ist-1/batch-1/AGE')!;
      alliance.blobs.set(blobHash(fresh), fresh);
      const partials = Object.fromEntries(idsOf(bad).map((id) => [id, blobHash(fresh)]));
      await alliance.as(member, JobContract.PostPartials, { jobId: 'g-2', partials, withheld: [] });
    }
    const cell = cellOf('PACS');
    await expect(alliance.aggregate(bad, [cell])).rejects.toThrow(
      `BAD_BLOB: The blob "partial/${cell}/Hospital1MSP"`,
    );
  });

  it('refuses a posted partial with a word that is no residue, and names it', async () => {
    const bad = await alliance.submit('g-3', byType);
    const cell = cellOf('PACS');
    const damaged = blobs[`partial/${cell}/Hospital3MSP`]!.slice().fill(0xff, -8);
    alliance.blobs.set(blobHash(damaged), damaged);
    for (const [i, member] of alliance.institutions.entries()) {
      if (i !== 2) await alliance.evaluate(bad, member);
      else {
        const partials = Object.fromEntries(idsOf(bad).map((id) => [id, blobHash(damaged)]));
        await alliance.as(member, JobContract.PostPartials, { jobId: 'g-3', partials, withheld: [] });
      }
    }
    await expect(alliance.aggregate(bad, [cell])).rejects.toThrow(
      `BAD_BLOB: The blob "partial/${cell}/Hospital3MSP": SEAL bytes refused: a word is not below its prime.`,
    );
  });
});
