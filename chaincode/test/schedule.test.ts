import { closeEvaluators } from '../src/evaluation/evaluators.js';
import { consortium, type JobView, type RequestOf } from '../src/index.js';
import { Alliance } from './support/alliance.js';
import { aggregated, byType, cohorts } from './support/smallGroups.js';

const { JobContract } = consortium;

describe('the time of a job', () => {
  let alliance: Alliance;
  beforeAll(async () => {
    alliance = await Alliance.ready(cohorts, 2);
  });
  afterAll(async () => {
    await alliance?.[Symbol.asyncDispose]();
    await closeEvaluators();
  });

  const MINUTE = 60_000;
  const after = (minutes: number): string => new Date(alliance.ledger.now + minutes * MINUTE).toISOString();
  type Schedule = Partial<RequestOf<typeof JobContract.Submit>>;

  it('is within bounds', async () => {
    const wrong: Schedule[] = [
      { deadline: after(0.5) },
      { deadline: after(60 * 24 * 31) },
      { quorum: 1 },
      { quorum: 4 },
      { postingDeadline: after(5) },
      { quorum: 2, postingDeadline: after(0) },
      { quorum: 2, deadline: after(10), postingDeadline: after(11) },
      { holderMinutes: 2000 },
    ];
    for (const schedule of wrong)
      await expect(alliance.submit('b-0', byType, schedule)).rejects.toThrow('BAD_REQUEST');
    const job = await alliance.submit('b-1', byType, { quorum: 2, deadline: after(10) });
    expect(job).toMatchObject({ quorum: 2, postingDeadline: after(5), deadline: after(10) });
    expect(await alliance.submit('b-2', byType)).toMatchObject({
      quorum: 3,
      postingDeadline: after(24 * 60),
    });
  });

  it('does not mind a retry: the same job submitted again is the same job, and charged once', async () => {
    const schedule = { deadline: after(30) };
    const job = await alliance.submit('r-1', byType, schedule);
    alliance.ledger.now += MINUTE;
    const charged = alliance.ledger.state('consortium');
    expect(await alliance.submit('r-1', byType, schedule)).toEqual(job);
    expect(alliance.ledger.state('consortium')).toEqual(charged);
    const other = { ...byType, where: [{ variable: 'DEAD', level: 'true' }] };
    await expect(alliance.submit('r-1', other, schedule)).rejects.toThrow('ALREADY_EXISTS');
    await expect(alliance.submit('r-1', byType, { deadline: after(30) })).rejects.toThrow('ALREADY_EXISTS');
  });

  it('leaves out who has not answered at the posting deadline, and says who is in', async () => {
    const job = await alliance.submit('q-1', byType, { quorum: 2, postingDeadline: after(5) });
    const [first, second, third] = alliance.institutions;
    await alliance.evaluate(job, second!);
    await alliance.evaluate(job, third!);
    await expect(alliance.aggregate(job, undefined, 1)).rejects.toThrow(
      'PARTIALS_MISSING: The partials of Hospital1MSP are not posted.',
    );
    alliance.ledger.now += 5 * MINUTE;
    await expect(alliance.evaluate(job, first!)).rejects.toThrow('DEADLINE_PASSED');
    // The first of those that are in adds up.
    await expect(alliance.aggregate(job, undefined, 2)).rejects.toThrow('TOO_EARLY');
    const [one] = job.cells.map(({ id }) => id);
    await alliance.aggregate(job, [one!], 1);
    expect((await alliance.get('q-1')).included).toEqual(['Hospital2MSP', 'Hospital3MSP']);
    await alliance.aggregate(
      job,
      job.cells.map(({ id }) => id).filter((id) => id !== one),
      1,
    );
    const ended = await alliance.conclude('q-1');
    expect(ended).toMatchObject({ state: 'RELEASED', included: ['Hospital2MSP', 'Hospital3MSP'] });
    const lacunar = cohorts
      .slice(1)
      .flat()
      .filter(({ STYPE }) => STYPE === 'LACS');
    expect(ended.outcomes!['STYPE=LACS']).toEqual({ status: 'PASSED', count: lacunar.length });
  });

  it('has failed at the posting deadline with fewer than the quorum, and names who was silent', async () => {
    const job = await alliance.submit('q-2', byType, { quorum: 2, postingDeadline: after(5) });
    await alliance.evaluate(job, alliance.member(1));
    alliance.ledger.now += 5 * MINUTE;
    expect(await alliance.get('q-2')).toMatchObject({
      state: 'FAILED',
      missing: ['Hospital1MSP', 'Hospital3MSP'],
    });
    const late = alliance.aggregate(job, undefined, 1);
    await expect(late).rejects.toThrow('DEADLINE_PASSED: The job q-2 failed: 1 institutions of 2');
  });

  describe('goes on with another committee where a holder is silent', () => {
    const replace = (jobId: string, index = 2) =>
      alliance.as(alliance.member(index), JobContract.ReplaceCommittee, { jobId });
    const budget = (): number => {
      const shards = [...alliance.ledger.state('consortium')].filter(([key]) => key.includes('epoch.budget'));
      return shards.reduce((sum, [, text]) => sum + (JSON.parse(text) as { reserved: number }).reserved, 0);
    };
    const wait = (job: JobView): void => {
      alliance.ledger.now += job.holderMinutes * MINUTE;
    };

    it('at the counts', async () => {
      const job = await aggregated(alliance, 's-1');
      const sealed = { Hospital2MSP: 'AAAA' };
      await alliance.as(alliance.member(0), JobContract.PostCountShares, { jobId: 's-1', sealed });
      await expect(replace('s-1')).rejects.toThrow('TOO_EARLY');
      wait(job);
      const before = budget();
      await replace('s-1');
      expect(budget()).toBe(before + job.cells.length);
      expect(await alliance.get('s-1')).toMatchObject({
        committee: [
          { mspId: 'Hospital1MSP', index: 1 },
          { mspId: 'Hospital3MSP', index: 3 },
        ],
        round: 1,
        silent: ['Hospital2MSP'],
      });
      // The one that was silent comes too late, and what the former committee posted counts no more.
      const late = { jobId: 's-1', sealed: { Hospital1MSP: 'AAAA' } };
      await expect(alliance.as(alliance.member(1), JobContract.PostCountShares, late)).rejects.toThrow(
        'NOT_A_PARTY',
      );
      expect((await alliance.ask(JobContract.Shares, { jobId: 's-1' })).countShares).toEqual({});
      await expect(replace('s-1')).rejects.toThrow('TOO_EARLY');
      expect((await alliance.conclude('s-1')).state).toBe('RELEASED');
      await expect(replace('s-1')).rejects.toThrow('ILLEGAL_STATE');
    });

    it('at the values, whose counts stay those of the former', async () => {
      const job = await alliance.conclude((await aggregated(alliance, 's-2')).jobId, 20, 'COUNTED');
      const [holder] = alliance.committee(job);
      await alliance.as(holder!, JobContract.PostValueShares, { jobId: 's-2', sealed: 'AAAA' });
      wait(job);
      const before = budget();
      await replace('s-2');
      const passing = job.cells.filter(
        ({ id, kind }) => kind === 'value' && job.outcomes![id]!.status === 'PASSED',
      );
      expect(budget()).toBe(before + passing.length);
      const replaced = await alliance.get('s-2');
      expect(replaced.counting!.committee).toEqual(job.committee);
      const { opened, valueShares } = await alliance.ask(JobContract.Shares, { jobId: 's-2' });
      expect(Object.keys(opened)).toEqual(['Hospital1MSP', 'Hospital2MSP']);
      expect(valueShares).toEqual({});
      await alliance.releaseValues(replaced);
      const end = await alliance.as(holder!, JobContract.CloseRelease, { jobId: 's-2' });
      expect(end.state).toBe('RELEASED');
      const values = await alliance.values(end);
      const plan = alliance.plan(byType);
      for (const { id, errorDeviation, labels } of plan.cells.filter(({ id: cell }) => values.has(cell))) {
        const { middle, half } = plan.scaling['AGE']!;
        const group = cohorts.flat().filter(({ STYPE }) => STYPE === labels['STYPE']);
        const sum = group.reduce((total, { AGE }) => total + (Number(AGE) - middle) / half, 0);
        expect(Math.abs(values.get(id)! - sum)).toBeLessThan(8 * Number(errorDeviation));
      }
    });

    it('and fails where too few are left', async () => {
      const job = await aggregated(alliance, 's-3');
      wait(job);
      // Nobody of the two has posted, and one holder alone releases nothing.
      await expect(replace('s-3')).rejects.toThrow('HOLDERS_MISSING');
    });
  });

  it('fails at its deadline and names who did not deliver', async () => {
    const job = await alliance.submit('d-1', byType);
    await alliance.evaluate(job, alliance.member(0));
    const done = await aggregated(alliance, 'd-2');
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

  it('has it listed as open from its submission to its end or its deadline', async () => {
    const open = async (): Promise<string[]> => {
      const { items } = await alliance.as(alliance.member(0), JobContract.ListOpen, { limit: 100 });
      return items.map(({ jobId }) => jobId).filter((jobId) => jobId.startsWith('o-'));
    };
    await aggregated(alliance, 'o-1');
    await alliance.submit('o-2', byType);
    const { deadline } = await alliance.submit('o-3', byType, { deadline: after(10) });
    expect(await open()).toEqual(['o-1', 'o-2', 'o-3']);
    await alliance.conclude('o-1');
    await alliance.ask(JobContract.Cancel, { jobId: 'o-2', reason: 'Asked otherwise.' });
    expect(await open()).toEqual(['o-3']);
    alliance.ledger.now = Date.parse(deadline);
    expect(await open()).toEqual([]);
  });
});
