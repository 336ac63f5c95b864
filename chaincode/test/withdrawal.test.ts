import { type Query } from '@strokeshare/fhe';
import { closeEvaluators, MAXIMUM_IN_FLIGHT, whenFree } from '../src/evaluation/evaluators.js';
import { consortium, type JobView, privateRecords } from '../src/index.js';
import { Alliance, EPOCH } from './support/alliance.js';
import { cohort } from './support/cohorts.js';
import { identity } from './support/identities.js';

const { AgreementContract, DatasetContract, JobContract, PermissionContract } = consortium;
const meanAge: Query = { version: 1, statistics: [{ id: 'age', kind: 'mean', variable: 'AGE' }] };
const reason = 'The ethics committee asks for time.';

describe('rights that are taken back', () => {
  let alliance: Alliance;
  let jobs = 0;
  beforeAll(async () => {
    alliance = await Alliance.ready([cohort(40, 1), cohort(40, 2)], 2);
  });
  afterAll(async () => {
    await alliance?.[Symbol.asyncDispose]();
    await closeEvaluators();
  });

  const suspend = (agreementId: string, index = 1) =>
    alliance.as(alliance.member(index), AgreementContract.Suspend, { agreementId, reason });
  const resume = (agreementId: string, index = 1) =>
    alliance.as(alliance.member(index), AgreementContract.Resume, { agreementId });
  const stateOf = async (name: string) => [
    (await alliance.ask(AgreementContract.Get, { agreementId: `agreement-${name}` })).state,
    (await alliance.ask(PermissionContract.Get, { permissionId: `permission-${name}` })).state,
  ];

  /** A job that has come so far, and each holder's next step from there. */
  async function jobAt(step: Step): Promise<{ job: JobView; next: () => Promise<unknown> }> {
    const { jobId } = await alliance.submit(`stop-${++jobs}`, meanAge);
    let job = await alliance.get(jobId);
    const [first, second] = [alliance.member(0), alliance.member(1)];
    await alliance.evaluate(job, first);
    if (step === 'post') {
      const partials = Object.fromEntries(job.cells.map(({ id }) => [id, '0'.repeat(64)]));
      return {
        job,
        next: () => alliance.as(second, JobContract.PostPartials, { jobId, partials, withheld: [] }),
      };
    }
    await alliance.evaluate(job, second);
    if (step === 'aggregate') return { job, next: () => alliance.aggregate(job) };
    await alliance.aggregate(job);
    job = await alliance.get(jobId);
    const sealed = { [second.mspId]: 'AAAA' };
    if (step === 'countShares')
      return { job, next: () => alliance.as(first, JobContract.PostCountShares, { jobId, sealed }) };
    const shares = await alliance.judge(job, 20);
    const open = () => alliance.openCounts(job, shares, alliance.openCountCells(job));
    if (step === 'openCounts') {
      const own = [...shares.get(first.mspId)!].map(([cell, share]) => [
        cell,
        Buffer.from(share).toString('base64'),
      ]);
      const opened = Object.fromEntries(own) as Record<string, string>;
      return { job, next: () => alliance.as(first, JobContract.OpenCounts, { jobId, shares: opened }) };
    }
    await open();
    const close = () => alliance.as(first, JobContract.CloseCounts, { jobId });
    if (step === 'closeCounts') return { job, next: close };
    job = await close();
    return { job, next: () => alliance.as(first, JobContract.PostValueShares, { jobId, sealed: 'AAAA' }) };
  }
  const steps = ['post', 'aggregate', 'countShares', 'openCounts', 'closeCounts', 'valueShares'] as const;
  type Step = (typeof steps)[number];

  it.each(steps)('stop a running job at its next step: %s', async (step) => {
    const { job, next } = await jobAt(step);
    await suspend('agreement-1');
    expect(await stateOf('1')).toEqual(['SUSPENDED', 'SUSPENDED']);
    await next();
    expect(await alliance.get(job.jobId)).toMatchObject({
      state: 'REFUSED',
      refusal: {
        step: step === 'valueShares' ? 'valueRelease' : /ount/.test(step) ? 'countRelease' : 'evaluate',
        rule: 'agreement',
        code: 'AGREEMENT_NOT_ACTIVE',
      },
    });
    const { valueShares } = await alliance.ask(JobContract.Shares, { jobId: job.jobId });
    expect(valueShares).toEqual({});
    // The agreement is in force again when the suspension is lifted; the job stays refused.
    await resume('agreement-1');
    expect(await stateOf('1')).toEqual(['ACTIVE', 'GRANTED']);
    await expect(next()).rejects.toThrow('ILLEGAL_STATE');
  });

  it('let any party end the job on the ledger, and nobody a job that is permitted', async () => {
    for (const step of ['aggregate', 'countShares', 'valueShares'] as const) {
      const { job } = await jobAt(step);
      const stop = () => alliance.as(alliance.member(1), JobContract.Stop, { jobId: job.jobId });
      await expect(stop()).rejects.toThrow('ILLEGAL_STATE: The next step');
      await suspend('agreement-1');
      expect(await stop()).toMatchObject({ state: 'REFUSED', refusal: { code: 'AGREEMENT_NOT_ACTIVE' } });
      await expect(stop()).rejects.toThrow('ILLEGAL_STATE');
      await resume('agreement-1');
    }
    await alliance.agree('single', { datasets: ['ist-1'] });
    const { jobId } = await alliance.submit('single', meanAge, { agreementId: 'agreement-single' });
    const stranger = alliance.as(alliance.member(1), JobContract.Stop, { jobId });
    await expect(stranger).rejects.toThrow('NOT_A_PARTY');
  });

  it('refuse new jobs and evaluations', async () => {
    const job = await alliance.submit('running', meanAge);
    await suspend('agreement-1');
    expect(await alliance.submit('during', meanAge)).toMatchObject({
      state: 'REFUSED',
      refusal: { step: 'submit', code: 'AGREEMENT_NOT_ACTIVE' },
    });
    const evaluate = alliance.as(alliance.member(0), privateRecords.RecordsContract.Evaluate, {
      jobId: job.jobId,
      cells: [job.cells[0]!.id],
    });
    await expect(evaluate).rejects.toThrow('NOT_PERMITTED: AGREEMENT_NOT_ACTIVE');
    await resume('agreement-1');
    expect(await alliance.submit('after', meanAge)).toMatchObject({ state: 'SUBMITTED' });
  });

  it('are each owner’s own: the agreement waits until nobody suspends it', async () => {
    await suspend('agreement-1', 0);
    await suspend('agreement-1', 1);
    await expect(suspend('agreement-1', 1)).rejects.toThrow('ILLEGAL_STATE');
    await resume('agreement-1', 0);
    expect(await stateOf('1')).toEqual(['SUSPENDED', 'SUSPENDED']);
    await expect(resume('agreement-1', 0)).rejects.toThrow('ILLEGAL_STATE');
    await resume('agreement-1', 1);
    expect(await stateOf('1')).toEqual(['ACTIVE', 'GRANTED']);
  });

  it('end an agreement for good, by one owner and by no stranger', async () => {
    await alliance.agree('ended', { datasets: ['ist-1'] });
    const end = (index: number) =>
      alliance.as(alliance.member(index), AgreementContract.Terminate, {
        agreementId: 'agreement-ended',
        reason,
      });
    await expect(end(1)).rejects.toThrow('NOT_A_PARTY');
    await expect(suspend('agreement-ended', 1)).rejects.toThrow('NOT_A_PARTY');
    await end(0);
    expect(await stateOf('ended')).toEqual(['TERMINATED', 'REVOKED']);
    await expect(end(0)).rejects.toThrow('ILLEGAL_STATE');
    await expect(suspend('agreement-ended', 0)).rejects.toThrow('ILLEGAL_STATE');
    expect(await alliance.submit('too-late', meanAge, { agreementId: 'agreement-ended' })).toMatchObject({
      state: 'REFUSED',
      refusal: { code: 'AGREEMENT_NOT_ACTIVE' },
    });
  });

  it('are a researcher’s, too: a cancelled job is over', async () => {
    const { job, next } = await jobAt('countShares');
    const { jobId } = job;
    const stranger = await identity('ResearchMSP', 'mallory', 'researcher');
    const sealingKey = Buffer.from(alliance.researcherKeys.publicKey).toString('base64');
    const as = { identity: stranger };
    await alliance.ledger.call(
      consortium.ResearcherContract.Register,
      { name: 'Mallory', affiliation: 'Elsewhere', sealingKey },
      as,
    );
    await expect(alliance.ledger.call(JobContract.Cancel, { jobId, reason }, as)).rejects.toThrow(
      'NOT_A_PARTY',
    );
    expect(await alliance.ask(JobContract.Cancel, { jobId, reason })).toMatchObject({ state: 'CANCELLED' });
    expect(await alliance.get(jobId)).toMatchObject({ state: 'CANCELLED', cancellation: { reason } });
    await expect(next()).rejects.toThrow('ILLEGAL_STATE');
    await expect(alliance.ask(JobContract.Cancel, { jobId, reason })).rejects.toThrow('ILLEGAL_STATE');
  });

  it('refuse heavy work beyond what a process does at once, and take it later', async () => {
    const ends: (() => void)[] = [];
    const busy = Array.from({ length: MAXIMUM_IN_FLIGHT }, () =>
      whenFree(() => new Promise<void>((resolve) => ends.push(resolve))),
    );
    const waiting = await alliance.submit('while-busy', meanAge);
    await expect(alliance.evaluate(waiting, alliance.member(0))).rejects.toThrow('BUSY');
    for (const end of ends) end();
    await Promise.all(busy);
    const job = await alliance.submit('free-again', meanAge);
    await expect(alliance.evaluate(job, alliance.member(0))).resolves.toBeUndefined();
  });

  it('retire a key epoch: what rests on it stops at its next step', async () => {
    const other = await Alliance.ready([cohort(40, 1), cohort(40, 2)], 2);
    try {
      const { jobId } = await other.submit('running', meanAge);
      const retire = (index: number, epochId: string) =>
        other.as(other.member(index), consortium.KeyEpochContract.Retire, { epochId, reason });
      await expect(retire(0, 'epoch-none')).rejects.toThrow('NOT_FOUND');
      expect(await retire(1, EPOCH)).toMatchObject({ state: 'RETIRED', retirement: { reason } });
      await expect(retire(0, EPOCH)).rejects.toThrow('ILLEGAL_STATE');
      const posted = await other.as(other.member(0), JobContract.PostPartials, {
        jobId,
        partials: {},
        withheld: [],
      });
      expect(posted).toMatchObject({ state: 'REFUSED', refusal: { code: 'EPOCH_NOT_ACTIVE' } });
      expect(await other.submit('late', meanAge)).toMatchObject({
        state: 'REFUSED',
        refusal: { code: 'EPOCH_NOT_ACTIVE' },
      });
    } finally {
      await other[Symbol.asyncDispose]();
    }
  });

  it('take a dataset out of every agreement, at once and by its owner alone', async () => {
    const { job, next } = await jobAt('aggregate');
    const withdraw = (index: number) =>
      alliance.as(alliance.member(index), DatasetContract.Withdraw, { datasetId: 'ist-2', reason });
    await expect(withdraw(0)).rejects.toThrow('NOT_A_PARTY');
    expect(await withdraw(1)).toMatchObject({ status: 'WITHDRAWN', withdrawal: { reason } });
    await expect(withdraw(1)).rejects.toThrow('ILLEGAL_STATE');
    await next();
    expect(await alliance.get(job.jobId)).toMatchObject({
      state: 'REFUSED',
      refusal: { step: 'evaluate', rule: 'datasets', code: 'DATASET_NOT_AVAILABLE' },
    });
  });
});
