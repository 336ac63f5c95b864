import { blobHash, type Query } from '@strokeshare/fhe';
import { closeEvaluators } from '../src/evaluation/evaluators.js';
import { consortium, type JobView, privateRecords } from '../src/index.js';
import { Alliance } from './support/alliance.js';
import { cohort } from './support/cohorts.js';
import { signingKeys } from './support/identities.js';

const { JobContract } = consortium;
const { RecordsContract } = privateRecords;
const byType: Query = {
  version: 1,
  statistics: [{ id: 'age', kind: 'mean', variable: 'AGE', by: ['STYPE'] }],
};
/** Patients of type TACS are few, here and in all. */
const cohorts = [cohort(90, 1), cohort(80, 2), cohort(70, 3)].map((records, i) =>
  records.filter(({ STYPE }, k) => STYPE !== 'TACS' || k < 9 + i),
);
const patients = cohorts.flat();

describe('a job under attack', () => {
  let alliance: Alliance;
  beforeAll(async () => {
    alliance = await Alliance.ready(cohorts, 2);
  });
  afterAll(async () => {
    await alliance?.[Symbol.asyncDispose]();
    await closeEvaluators();
  });

  const idsOf = (job: JobView): string[] => job.cells.map(({ id }) => id);
  const cellOf = (type: string): string => `STYPE=${type}`;
  async function aggregated(jobId: string, withheld: readonly string[] = []): Promise<JobView> {
    const job = await alliance.submit(jobId, byType);
    for (const [i, member] of alliance.institutions.entries())
      await alliance.evaluate(job, member, i === 0 ? withheld : []);
    await alliance.aggregate(
      job,
      idsOf(job).filter((id) => !withheld.includes(id)),
    );
    return alliance.get(jobId);
  }

  describe('in evaluation', () => {
    let job: JobView;
    beforeAll(async () => {
      job = await alliance.submit('e-1', byType);
    });
    const evaluate = (transient: Record<string, Uint8Array>, cells = idsOf(job), index = 0) =>
      alliance.as(alliance.member(index), RecordsContract.Evaluate, { jobId: job.jobId, cells }, transient);
    const product = () => job.cells.find(({ kind }) => kind === 'value')!.id;

    it('asks for the relinearisation key once, and takes no other', async () => {
      await closeEvaluators();
      const columns = alliance.columnsFor(alliance.member(0));
      await expect(evaluate(columns, [product()])).rejects.toThrow('KEY_NEEDED');
      await expect(evaluate({ ...columns, relinKeys: alliance.publicKey })).rejects.toThrow('HASH_MISMATCH');
      const { partials } = await evaluate({ ...columns, relinKeys: alliance.relinKeys }, [product()]);
      // The process keeps the key; the same evaluation gives the same bytes.
      expect((await evaluate(columns, [product()])).partials).toEqual(partials);
    });

    it('refuses a missing and a swapped ciphertext', async () => {
      const columns = alliance.columnsFor(alliance.member(0));
      const name = 'column/ist-1/batch-1/AGE';
      const { [name]: age, ...rest } = columns;
      await expect(evaluate({ ...rest, relinKeys: alliance.relinKeys })).rejects.toThrow(
        `BLOB_MISSING: The transient data lacks "${name}".`,
      );
      const flipped = age!.slice();
      flipped[5000]! ^= 1;
      await expect(evaluate({ ...columns, [name]: flipped })).rejects.toThrow('HASH_MISMATCH');
      const foreign = alliance.member(1).columns.get('column/ist-2/batch-1/AGE')!;
      await expect(evaluate({ ...columns, [name]: foreign })).rejects.toThrow('HASH_MISMATCH');
    });

    it('refuses cells that are not in the plan, jobs that do not exist, and too much data', async () => {
      const columns = alliance.columnsFor(alliance.member(0));
      await expect(evaluate(columns, ['DEAD=true'])).rejects.toThrow('BAD_REQUEST');
      const none = alliance.as(
        alliance.member(0),
        RecordsContract.Evaluate,
        { jobId: 'none', cells: ['x'] },
        columns,
      );
      await expect(none).rejects.toThrow('NOT_FOUND');
      const padding = new Uint8Array(16 * 1024 * 1024);
      await expect(evaluate({ ...columns, padding })).rejects.toThrow('TOO_MUCH_WORK');
    });

    it('refuses an agent of an institution that takes no part', async () => {
      await alliance.agree('one', { datasets: ['ist-1'] });
      await alliance.submit('e-2', byType, { agreementId: 'agreement-one' });
      const call = alliance.as(alliance.member(1), RecordsContract.Evaluate, {
        jobId: 'e-2',
        cells: [cellOf('LACS')],
      });
      await expect(call).rejects.toThrow('NOT_A_PARTY');
      const post = alliance.as(alliance.member(1), JobContract.PostPartials, {
        jobId: 'e-2',
        partials: {},
        withheld: [],
      });
      await expect(post).rejects.toThrow('NOT_A_PARTY');
    });
  });

  describe('in aggregation', () => {
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
      await expect(
        post({ ...hashes, [idsOf(job)[0]!]: '0'.repeat(64), more: '0'.repeat(64) }),
      ).rejects.toThrow('BAD_REQUEST');
      await expect(post({ ...hashes, [idsOf(job)[0]!]: '0'.repeat(64) }, [some[0]!])).rejects.toThrow(
        'BAD_REQUEST',
      );
      await alliance.evaluate(job, alliance.member(2));
      await expect(alliance.evaluate(job, alliance.member(2))).rejects.toThrow('ALREADY_EXISTS');
      blobs = await alliance.partialBlobs('g-1');
    });

    it('is the first participant’s, until a delay has passed', async () => {
      await expect(aggregate(blobs, [cellOf('LACS')], 1)).rejects.toThrow('TOO_EARLY');
      alliance.ledger.now += 11 * 60_000;
      await expect(aggregate(blobs, [cellOf('LACS')], 1)).resolves.toMatchObject({ state: 'EVALUATING' });
      await expect(aggregate(blobs, [cellOf('LACS')])).rejects.toThrow('ALREADY_EXISTS');
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
  });

  describe('at the count gate', () => {
    let job: JobView;
    let shares: Map<string, Map<string, Uint8Array>>;
    const count = (type: string): number => patients.filter(({ STYPE }) => STYPE === type).length;
    const open = (cells: readonly string[], index = 0, change = (share: Uint8Array) => share) => {
      const own = shares.get(alliance.member(index).mspId)!;
      const opened = Object.fromEntries(
        cells.map((cell) => [cell, Buffer.from(change(own.get(cell)!)).toString('base64')]),
      );
      return alliance.as(alliance.member(index), JobContract.OpenCounts, {
        jobId: job.jobId,
        shares: opened,
      });
    };
    const close = (index = 0) =>
      alliance.as(alliance.member(index), JobContract.CloseCounts, { jobId: job.jobId });
    beforeAll(async () => {
      job = await aggregated('c-1');
    });

    it('lets nobody outside the committee take part', async () => {
      const sealed = { Hospital1MSP: 'AAAA', Hospital2MSP: 'AAAA' };
      const outside = alliance.as(alliance.member(2), JobContract.PostCountShares, { jobId: 'c-1', sealed });
      await expect(outside).rejects.toThrow('NOT_A_PARTY');
    });

    it('takes verdicts only after all shares, on every cell, with the holder’s signature', async () => {
      const verdicts = Object.fromEntries(
        alliance.openCountCells(job).map((cell) => [cell, 'pass' as const]),
      );
      await expect(alliance.postVerdict(job, alliance.member(0), verdicts)).rejects.toThrow('SHARES_MISSING');
      await expect(
        alliance.as(alliance.member(0), JobContract.PostCountShares, { jobId: 'c-1', sealed: {} }),
      ).rejects.toThrow('BAD_REQUEST');
      shares = await alliance.judge(job, 20);
      await expect(alliance.judge(job, 20)).rejects.toThrow('ALREADY_EXISTS');
      await expect(alliance.postVerdict(job, alliance.member(0), verdicts)).rejects.toThrow('ALREADY_EXISTS');
    });

    it('opens passing cells and no others, each share once', async () => {
      const passing = [cellOf('LACS'), cellOf('PACS')];
      expect(Math.min(count('LACS'), count('PACS'))).toBeGreaterThanOrEqual(20);
      expect(count('TACS')).toBeLessThan(20);
      await expect(close()).rejects.toThrow('SHARES_MISSING');
      await expect(open([...passing, cellOf('TACS')])).rejects.toThrow('BAD_REQUEST');
      await expect(open([passing[0]!])).rejects.toThrow('BAD_REQUEST');
      await expect(open(passing, 0, (share) => share.subarray(1))).rejects.toThrow('BAD_SHARE');
      await open(passing);
      await expect(open(passing)).rejects.toThrow('ALREADY_EXISTS');
      await expect(close()).rejects.toThrow('SHARES_MISSING');
      await open(passing, 1);
    });

    it('writes passing counts, and never a failing one', async () => {
      const closed = await close();
      expect(closed.outcomes).toMatchObject({
        [cellOf('LACS')]: { status: 'PASSED', count: count('LACS') },
        [cellOf('TACS')]: { status: 'SUPPRESSED' },
      });
      const values = closed.cells.filter(({ kind }) => kind === 'value');
      for (const { id, countCell } of values)
        expect(closed.outcomes![id]).toEqual({
          status: countCell === cellOf('TACS') ? 'SUPPRESSED' : 'PASSED',
        });
      const secret = Buffer.from(shares.get('Hospital1MSP')!.get(cellOf('TACS'))!).toString('base64');
      const state = [...alliance.ledger.state('consortium').values()].join('\n');
      expect(state).not.toContain(secret);
      expect(state).toContain(
        Buffer.from(shares.get('Hospital1MSP')!.get(cellOf('LACS'))!).toString('base64'),
      );
      await expect(close()).rejects.toThrow('ILLEGAL_STATE');
    });

    it('closes the release only with all value shares, each posted once', async () => {
      job = await alliance.get('c-1');
      const end = () => alliance.as(alliance.member(0), JobContract.CloseRelease, { jobId: 'c-1' });
      await expect(end()).rejects.toThrow('SHARES_MISSING');
      await alliance.releaseValues(job);
      await expect(alliance.releaseValues(job)).rejects.toThrow('ALREADY_EXISTS');
      expect((await end()).state).toBe('RELEASED');
      await expect(end()).rejects.toThrow('ILLEGAL_STATE');
    });
  });

  it('recounts itself: a committee that passes a small cell does not get it released', async () => {
    const job = await aggregated('c-2');
    const shares = await alliance.judge(job, 0);
    await alliance.openCounts(job, shares, alliance.openCountCells(job));
    const closed = await alliance.as(alliance.member(1), JobContract.CloseCounts, { jobId: 'c-2' });
    expect(closed.outcomes![cellOf('TACS')]).toEqual({ status: 'SUPPRESSED' });
    expect(closed.outcomes![cellOf('LACS')]!.status).toBe('PASSED');
  });

  it('refuses a forged verdict, and one holder that says suppress is enough', async () => {
    const job = await aggregated('c-3');
    const committee = alliance.committee(job);
    const sealed = (mspId: string) =>
      Object.fromEntries(committee.filter((m) => m.mspId !== mspId).map((m) => [m.mspId, 'AAAA']));
    for (const { mspId } of committee)
      await alliance.as(
        committee.find((m) => m.mspId === mspId)!,
        JobContract.PostCountShares,
        { jobId: 'c-3', sealed: sealed(mspId) },
      );
    const cells = alliance.openCountCells(job);
    const pass = Object.fromEntries(cells.map((cell) => [cell, 'pass' as const]));
    const suppress = Object.fromEntries(cells.map((cell) => [cell, 'suppress' as const]));
    await expect(alliance.postVerdict(job, committee[0]!, pass, signingKeys().privateKey)).rejects.toThrow(
      'BAD_SIGNATURE',
    );
    await expect(alliance.postVerdict(job, committee[0]!, pass, committee[1]!.signing)).rejects.toThrow(
      'BAD_SIGNATURE',
    );
    await expect(
      alliance.postVerdict({ ...job, jobId: 'c-3', planHash: '0'.repeat(64) }, committee[0]!, pass),
    ).rejects.toThrow('BAD_SIGNATURE');
    await alliance.postVerdict(job, committee[0]!, pass);
    await alliance.postVerdict(job, committee[1]!, suppress);
    const closed = await alliance.as(committee[0]!, JobContract.CloseCounts, { jobId: 'c-3' });
    expect(new Set(Object.values(closed.outcomes!).map(({ status }) => status))).toEqual(
      new Set(['SUPPRESSED']),
    );
    const released = alliance.as(committee[0]!, JobContract.PostValueShares, {
      jobId: 'c-3',
      sealed: 'AAAA',
    });
    await expect(released).rejects.toThrow('ILLEGAL_STATE');
    const end = await alliance.as(committee[0]!, JobContract.CloseRelease, { jobId: 'c-3' });
    expect(end.state).toBe('SUPPRESSED');
  });

  it('does not take a wrong share for a count', async () => {
    const job = await aggregated('c-4');
    const shares = await alliance.judge(job, 20);
    const wrong = shares.get('Hospital2MSP')!.get(cellOf('LACS'))!;
    wrong[3]! ^= 0x40;
    await alliance.openCounts(job, shares, [cellOf('LACS'), cellOf('PACS')]);
    const close = alliance.as(alliance.member(0), JobContract.CloseCounts, { jobId: 'c-4' });
    await expect(close).rejects.toThrow('COUNT_IMPLAUSIBLE');
  });

  it('marks what an institution withholds, values with their count', async () => {
    const draft = await alliance.submit('w-0', byType);
    const withheld = draft.cells.filter(({ countCell }) => countCell === cellOf('TACS')).map(({ id }) => id);
    const job = await aggregated('w-1', withheld);
    expect(job.state).toBe('AGGREGATED');
    const shares = await alliance.judge(job, 20, withheld);
    await alliance.openCounts(job, shares, alliance.openCountCells(job, withheld));
    const closed = await alliance.as(alliance.member(0), JobContract.CloseCounts, { jobId: 'w-1' });
    for (const id of withheld) expect(closed.outcomes![id]).toEqual({ status: 'WITHHELD' });
    expect(closed.outcomes![cellOf('LACS')]!.status).toBe('PASSED');
  });

  it('ends suppressed when every cell is withheld', async () => {
    const job = await alliance.submit('w-2', byType);
    for (const member of alliance.institutions)
      await alliance.as(member, JobContract.PostPartials, {
        jobId: 'w-2',
        partials: {},
        withheld: idsOf(job),
      });
    expect(await alliance.aggregate(job, [])).toMatchObject({ state: 'SUPPRESSED' });
    expect((await alliance.get('w-2')).outcomes![cellOf('LACS')]).toEqual({ status: 'WITHHELD' });
  });

  it('fails at its deadline and names who did not deliver', async () => {
    const job = await alliance.submit('d-1', byType);
    await alliance.evaluate(job, alliance.member(0));
    const done = await aggregated('d-2');
    const sealed = { Hospital2MSP: 'AAAA' };
    await alliance.as(alliance.member(0), JobContract.PostCountShares, { jobId: 'd-2', sealed });
    alliance.ledger.now = Date.parse(done.deadline);
    expect(await alliance.get('d-1')).toMatchObject({
      state: 'FAILED',
      missing: ['Hospital2MSP', 'Hospital3MSP'],
    });
    expect(await alliance.get('d-2')).toMatchObject({ state: 'FAILED', missing: ['Hospital2MSP'] });
    const late = alliance.as(alliance.member(1), JobContract.PostCountShares, {
      jobId: 'd-2',
      sealed: { Hospital1MSP: 'AAAA' },
    });
    await expect(late).rejects.toThrow('DEADLINE_PASSED');
  });
});
