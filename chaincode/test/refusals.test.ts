import { type Query } from '@strokeshare/fhe';
import { closeEvaluators } from '../src/evaluation/evaluators.js';
import { consortium, privateRecords } from '../src/index.js';
import { Alliance } from './support/alliance.js';
import { cohort } from './support/cohorts.js';
import { identity } from './support/identities.js';
import { MvccConflict } from './support/memoryLedger.js';

const meanAge: Query = {
  version: 1,
  statistics: [{ id: 'age', kind: 'mean', variable: 'AGE', by: ['STYPE'] }],
};
const countAll: Query = { version: 1, statistics: [{ id: 'n', kind: 'count' }] };
const DAY = 86_400_000;

describe('what policy refuses', () => {
  let alliance: Alliance;
  beforeAll(async () => {
    alliance = await Alliance.ready([cohort(60, 1), cohort(60, 2)], 2);
    await alliance.agree('narrow', { variables: ['AGE'], statistics: ['count', 'mean'], releaseBudget: 7 });
  });
  afterAll(async () => {
    await alliance?.[Symbol.asyncDispose]();
    await closeEvaluators();
  });

  const narrow = { agreementId: 'agreement-narrow' };
  /** Refused, with the same on the ledger, and nothing reserved. */
  async function expectRefused(jobId: string, refusal: object, ...job: [Query, object?]): Promise<void> {
    const answer = await alliance.submit(jobId, ...job);
    expect(answer).toMatchObject({ state: 'REFUSED', refusal: { step: 'submit', ...refusal } });
    expect(await alliance.get(jobId)).toMatchObject({
      state: 'REFUSED',
      refusal: { step: 'submit', ...refusal },
    });
    expect(alliance.ledger.events.at(-1)).toMatchObject({
      name: 'JobContract:Submit',
      payload: { id: jobId, state: 'REFUSED' },
    });
  }

  it('a variable that the agreement does not cover', () =>
    expectRefused(
      'r-variable',
      { rule: 'variables', code: 'VARIABLE_NOT_COVERED', reason: 'The agreement does not cover STYPE.' },
      meanAge,
      narrow,
    ));

  it('a statistic that it does not cover', () =>
    expectRefused(
      'r-statistic',
      { rule: 'statistics', code: 'STATISTIC_NOT_COVERED' },
      { version: 1, statistics: [{ id: 'v', kind: 'variance', variable: 'AGE' }] },
      narrow,
    ));

  it('a condition on a variable that it does not cover', () =>
    expectRefused(
      'r-where',
      { rule: 'variables', code: 'VARIABLE_NOT_COVERED' },
      { ...countAll, where: [{ variable: 'DEAD', level: 'true' }] },
      narrow,
    ));

  it('another purpose', () =>
    expectRefused('r-purpose', { rule: 'purpose', code: 'PURPOSE_NOT_COVERED' }, countAll, {
      purpose: 'DUO:0000006',
    }));

  it('a purpose that a dataset does not allow, even if agreed', async () => {
    await alliance.agree('gru', { purpose: 'DUO:0000043' });
    await expectRefused('r-dataset-purpose', { rule: 'purpose', code: 'PURPOSE_NOT_COVERED' }, countAll, {
      agreementId: 'agreement-gru',
      purpose: 'DUO:0000043',
    });
  });

  it('an agreement that not all owners have signed, or that one refused', async () => {
    await alliance.request('half');
    await alliance.propose('half');
    await alliance.sign('half', alliance.member(0));
    const half = { agreementId: 'agreement-half' };
    await expectRefused('r-half', { rule: 'agreement', code: 'AGREEMENT_NOT_ACTIVE' }, countAll, half);
    await alliance.as(alliance.member(1), consortium.AgreementContract.Refuse, { ...half, reason: 'No.' });
    await expectRefused('r-refused', { rule: 'agreement', code: 'AGREEMENT_NOT_ACTIVE' }, countAll, half);
  });

  it('a job before and after the period', async () => {
    alliance.ledger.now += 31 * DAY;
    await expectRefused('r-late', { rule: 'period', code: 'AGREEMENT_EXPIRED' }, countAll);
    alliance.ledger.now -= 40 * DAY;
    await expectRefused('r-early', { rule: 'period', code: 'AGREEMENT_NOT_YET_VALID' }, countAll);
    alliance.ledger.now += 9 * DAY;
  });

  it('another researcher than the agreement names', async () => {
    const own = alliance.researcher;
    alliance.researcher = await identity('ResearchMSP', 'mallory', 'researcher');
    const sealingKey = Buffer.from(alliance.researcherKeys.publicKey).toString('base64');
    await alliance.ask(consortium.ResearcherContract.Register, { name: 'M', affiliation: 'M', sealingKey });
    await expectRefused('r-identity', { rule: 'identity', code: 'RESEARCHER_NOT_COVERED' }, countAll);
    alliance.researcher = own;
  });

  it('a plan that is too deep', async () => {
    const deep: Query = {
      version: 1,
      statistics: [{ id: 'v', kind: 'variance', variable: 'RSBP', by: ['STYPE', 'DEAD'] }],
      where: [{ variable: 'ATRIAL', level: 'true' }],
    };
    await expectRefused('r-deep', { rule: 'plan', code: 'PLAN_TOO_DEEP' }, deep);
  });

  it('what goes beyond the release budget, reserved once per job', async () => {
    const query: Query = { version: 1, statistics: [{ id: 'a', kind: 'mean', variable: 'AGE' }] };
    const { cells } = await alliance.submit('b-1', query, narrow);
    await alliance.submit('b-2', query, narrow);
    const { reserved } = await alliance.ask(consortium.AgreementContract.Get, narrow);
    expect(reserved).toBe(2 * cells.length);
    await alliance.submit('b-3', query, narrow);
    await expectRefused('r-budget', { rule: 'budget', code: 'BUDGET_EXHAUSTED' }, query, narrow);
  });

  it('lets one of two jobs at once through where the budget would not do for both', async () => {
    await alliance.agree('once', { releaseBudget: 1 });
    const once = { agreementId: 'agreement-once', purpose: 'DUO:0000007', query: countAll };
    const simulate = (jobId: string) =>
      alliance.ledger.simulate(
        consortium.JobContract.Submit,
        { jobId, ...once },
        { identity: alliance.researcher },
      );
    const [first, second] = [await simulate('c-1'), await simulate('c-2')];
    alliance.ledger.commit(first);
    expect(() => alliance.ledger.commit(second)).toThrow(MvccConflict);
    await expectRefused('c-2', { rule: 'budget', code: 'BUDGET_EXHAUSTED' }, countAll, once);
  });

  it('throws what is malformed, and leaves nothing', async () => {
    const submit = (query: unknown, changes = {}) => alliance.submit('m-1', query as Query, changes);
    await expect(submit({ version: 2, statistics: [] })).rejects.toThrow('BAD_REQUEST');
    await expect(submit({ ...countAll, where: [{ variable: 'STYPE', level: 'NONE' }] })).rejects.toThrow(
      'QUERY_INVALID',
    );
    await expect(submit(countAll, { agreementId: 'agreement-none' })).rejects.toThrow('NOT_FOUND');
    await expect(alliance.get('m-1')).rejects.toThrow('NOT_FOUND');
  });

  it('stops a running job at its next step when the agreement ends', async () => {
    const job = await alliance.submit('stop-1', meanAge);
    await alliance.evaluate(job, alliance.member(0));
    await alliance.agree('short', { until: new Date(alliance.ledger.now + 1000).toISOString() });
    const short = await alliance.submit('stop-2', meanAge, { agreementId: 'agreement-short' });
    await alliance.evaluate(short, alliance.member(0));
    alliance.ledger.now += 2000;
    await expect(alliance.evaluate(short, alliance.member(1))).rejects.toThrow(
      'NOT_PERMITTED: AGREEMENT_EXPIRED',
    );
    const partials = Object.fromEntries(short.cells.map(({ id }) => [id, '0'.repeat(64)]));
    const posted = await alliance.as(alliance.member(1), consortium.JobContract.PostPartials, {
      jobId: 'stop-2',
      partials,
      withheld: [],
    });
    expect(posted).toMatchObject({ state: 'REFUSED', refusal: { step: 'evaluate', rule: 'period' } });
    expect(await alliance.get('stop-2')).toMatchObject({ state: 'REFUSED' });
    expect(await alliance.get('stop-1')).toMatchObject({ state: 'EVALUATING' });
    // Others' evaluation for a job that was refused: not even the records contract works for it.
    const call = alliance.as(alliance.member(1), privateRecords.RecordsContract.Evaluate, {
      jobId: 'stop-2',
      cells: [short.cells[0]!.id],
    });
    await expect(call).rejects.toThrow('NOT_PERMITTED');
  });
});
