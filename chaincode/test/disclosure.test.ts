import { type AnalysisQuery } from '@strokeshare/fhe';
import { MAXIMUM_REPEATS } from '../src/disclosure/earlier.js';
import { closeEvaluators } from '../src/evaluation/evaluators.js';
import { consortium, type JobView } from '../src/index.js';
import { Alliance } from './support/alliance.js';
import { cohort } from './support/cohorts.js';
import { type Identity, identity } from './support/identities.js';

const { JobContract, ResearcherContract } = consortium;
/** Of 80 patients, 12 have atrial fibrillation, and all but 8 are of the types LACS and PACS. */
const cohorts = [cohort(40, 1), cohort(40, 2)].map((records) =>
  records.map((record, i) => ({
    ...record,
    ATRIAL: i % 7 === 0,
    STYPE: i % 10 === 9 ? 'TACS' : i % 2 === 0 ? 'LACS' : 'PACS',
  })),
);
const counting = (where?: Record<string, string>): AnalysisQuery => ({
  version: 1,
  statistics: [{ id: 'n', kind: 'count' }],
  ...(where && { where: Object.entries(where).map(([variable, level]) => ({ variable, level })) }),
});
const meanAge = (where?: Record<string, string>): AnalysisQuery => ({
  ...counting(where),
  statistics: [{ id: 'age', kind: 'mean', variable: 'AGE' }],
});

describe('disclosure control over several jobs', () => {
  let alliance: Alliance;
  let jobs = 0;
  beforeAll(async () => {
    alliance = await Alliance.ready(cohorts, 2);
  });
  afterAll(async () => {
    await alliance?.[Symbol.asyncDispose]();
    await closeEvaluators();
  });

  async function researcher(name: string, affiliation: string): Promise<Identity> {
    const made = await identity('ResearchMSP', name, 'researcher');
    const sealingKey = Buffer.from(alliance.researcherKeys.publicKey).toString('base64');
    await alliance.ledger.call(
      ResearcherContract.Register,
      { name, affiliation, sealingKey },
      { identity: made },
    );
    return made;
  }
  /** As another researcher, with an agreement of the own. */
  async function as(who: Identity, name: string): Promise<() => void> {
    const before = alliance.researcher;
    alliance.researcher = who;
    await alliance.agree(name);
    return () => (alliance.researcher = before);
  }
  const run = (query: AnalysisQuery, agreement = '1'): Promise<JobView> =>
    alliance.release(`job-${++jobs}`, query, { agreementId: `agreement-${agreement}` });
  const passed = (job: JobView): string[] =>
    Object.entries(job.outcomes!)
      .filter(([, { status }]) => status === 'PASSED')
      .map(([cell]) => cell)
      .sort();

  it('releases a cohort, and none that leaves too few of it', async () => {
    expect(passed(await run(meanAge()))).toEqual(['AGE', '_row']);
    // 80 less 68 without atrial fibrillation leaves 12: the committee passes it, the contract does not.
    const without = await run(meanAge({ ATRIAL: 'false' }));
    expect(without).toMatchObject({
      state: 'SUPPRESSED',
      outcomes: {
        'ATRIAL=false': { status: 'SUPPRESSED' },
        'AGE*ATRIAL=false': { status: 'SUPPRESSED' },
      },
    });
    expect(JSON.stringify([...alliance.ledger.state('consortium')])).not.toContain('"count":68');
    // 80 less 40 leaves enough.
    expect(passed(await run(meanAge({ STYPE: 'LACS' })))).toEqual(['AGE*STYPE=LACS', 'STYPE=LACS']);
    // 80 less 40 less 32 leaves the 8 of the third type.
    expect((await run(counting({ STYPE: 'PACS' }))).state).toBe('SUPPRESSED');
  });

  it('takes two researchers of one affiliation for one, and not of two', async () => {
    const colleague = await as(await researcher('bob', ' INSTITUTE '), 'bob');
    expect((await run(meanAge({ ATRIAL: 'false' }), 'bob')).state).toBe('SUPPRESSED');
    colleague();
    const stranger = await as(await researcher('carol', 'University'), 'carol');
    const alone = await run(meanAge({ ATRIAL: 'false' }), 'carol');
    expect(alone.state).toBe('RELEASED');
    // Now the whole is what would give the few away.
    expect((await run(counting(), 'carol')).state).toBe('SUPPRESSED');
    stranger();
  });

  it('gives holders what to judge by', async () => {
    const { jobId } = await alliance.submit(`job-${++jobs}`, counting());
    const { data, known } = await alliance.as(alliance.member(0), JobContract.Compared, { jobId });
    expect(Object.keys(data)).toEqual(['ist-1', 'ist-2']);
    expect(known.map(({ cell, count, numbers }) => [cell, count, numbers])).toEqual([
      ['_row', 80, ['AGE']],
      ['STYPE=LACS', 40, ['AGE']],
    ]);
  });

  it('refuses verdicts that leave one hidden part of a total, before any share is in the open', async () => {
    const { jobId } = await alliance.submit(`job-${++jobs}`, {
      version: 1,
      statistics: [
        { id: 'all', kind: 'count' },
        { id: 'by', kind: 'count', by: ['STYPE'] },
      ],
    });
    let job = await alliance.get(jobId);
    for (const member of alliance.institutions) await alliance.evaluate(job, member);
    await alliance.aggregate(job);
    job = await alliance.get(jobId);
    // TACS alone is below the minimum, and nobody hides another.
    const shares = await alliance.judge(job, 20);
    const open = alliance.openCounts(job, shares, ['_row', 'STYPE=LACS', 'STYPE=PACS']);
    await expect(open).rejects.toThrow('DISCLOSIVE: The verdicts');
  });

  it('refuses the same count of the same patients once more, after so many times', async () => {
    const query = counting({ STYPE: 'LACS' });
    // One result is there already.
    for (let i = 1; i < MAXIMUM_REPEATS; i++) expect((await run(query)).state).toBe('RELEASED');
    expect(await alliance.submit(`job-${++jobs}`, query)).toMatchObject({
      state: 'REFUSED',
      refusal: { rule: 'disclosure', code: 'REPEATED_RELEASE' },
    });
    // A number over them that was not released as often is another cell.
    expect(await alliance.submit(`job-${++jobs}`, meanAge({ STYPE: 'LACS' }))).toMatchObject({
      state: 'SUBMITTED',
    });
  });
});
