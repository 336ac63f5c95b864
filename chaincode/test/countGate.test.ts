import { closeEvaluators } from '../src/evaluation/evaluators.js';
import { consortium, type JobView } from '../src/index.js';
import { Alliance } from './support/alliance.js';
import { signingKeys } from './support/identities.js';
import { aggregated, byType, cellOf, cohorts, idsOf, patients } from './support/smallGroups.js';

const { JobContract } = consortium;

describe('the count gate under attack', () => {
  let alliance: Alliance;
  beforeAll(async () => {
    alliance = await Alliance.ready(cohorts, 2);
  });
  afterAll(async () => {
    await alliance?.[Symbol.asyncDispose]();
    await closeEvaluators();
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
      job = await aggregated(alliance, 'c-1');
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
      await expect(open(passing)).resolves.toMatchObject({ state: 'AGGREGATED' });
      const other = open(passing, 0, (share) => share.map((byte, i) => (i === 0 ? byte ^ 1 : byte)));
      await expect(other).rejects.toThrow('ALREADY_EXISTS');
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
    const job = await aggregated(alliance, 'c-2');
    const shares = await alliance.judge(job, 0);
    await alliance.openCounts(job, shares, alliance.openCountCells(job));
    const closed = await alliance.as(alliance.member(1), JobContract.CloseCounts, { jobId: 'c-2' });
    expect(closed.outcomes![cellOf('TACS')]).toEqual({ status: 'SUPPRESSED' });
    expect(closed.outcomes![cellOf('LACS')]!.status).toBe('PASSED');
  });

  it('refuses a forged verdict, and one holder that says suppress is enough', async () => {
    const job = await aggregated(alliance, 'c-3');
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
    const job = await aggregated(alliance, 'c-4');
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
    const job = await aggregated(alliance, 'w-1', withheld);
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
});
