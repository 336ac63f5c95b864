import { type AnalysisQuery } from '@strokeshare/fhe';
import { closeEvaluators } from '../src/evaluation/evaluators.js';
import { comparisonsOf, consortium } from '../src/index.js';
import { shardOf } from '../src/permission/budgets.js';
import { Alliance } from './support/alliance.js';
import { cohort } from './support/cohorts.js';
import { identity } from './support/identities.js';

const { JobContract, ResearcherContract } = consortium;
/** Of 80 patients, 40 have atrial fibrillation; the same ones and one more die. Of the type LACS are 40, too. */
const cohorts = [cohort(40, 1), cohort(40, 2)].map((records, hospital) =>
  records.map((record, i) => ({
    ...record,
    ATRIAL: i % 2 === 0,
    DEAD: i % 2 === 0 || (hospital === 0 && i === 1),
    STYPE: i % 4 < 2 ? 'LACS' : 'PACS',
  })),
);
const meanAge = (...where: [string, string][]): AnalysisQuery => ({
  version: 1,
  statistics: [{ id: 'age', kind: 'mean', variable: 'AGE' }],
  where: where.map(([variable, level]) => ({ variable, level })),
});
const COMMON = 'ATRIAL=true*DEAD=true';

describe('cohorts that overlap', () => {
  let alliance: Alliance;
  beforeAll(async () => {
    alliance = await Alliance.ready(cohorts, 2);
  });
  afterAll(async () => {
    await alliance?.[Symbol.asyncDispose]();
    await closeEvaluators();
  });
  /** Of the agreement, and of the shard of the key epoch's budget that the job draws on. */
  const reserved = (jobId: string): number[] =>
    [
      ['agreement.budget', 'agreement-1'],
      ['epoch.budget', shardOf(jobId)],
    ].map(([type, last]) => {
      const parts = (key: string): string[] => key.split('\0').filter((part) => part !== '');
      const found = [...alliance.ledger.state('consortium')].find(
        ([key]) => parts(key)[0] === type && parts(key).at(-1) === last,
      );
      return found ? (JSON.parse(found[1]) as { reserved: number }).reserved : 0;
    });

  it('are compared by a count of what they have in common, which nobody but the committee opens', async () => {
    // Submitted before the first job's counts are known: it carries no comparison.
    await alliance.submit('in-flight', meanAge(['DEAD', 'true']));
    expect((await alliance.release('first', meanAge(['ATRIAL', 'true']))).state).toBe('RELEASED');

    const colleague = await identity('ResearchMSP', 'bob', 'researcher');
    const sealingKey = Buffer.from(alliance.researcherKeys.publicKey).toString('base64');
    await alliance.ledger.call(
      ResearcherContract.Register,
      { name: 'bob', affiliation: 'institute', sealingKey },
      { identity: colleague },
    );
    const before = alliance.researcher;
    alliance.researcher = colleague;
    await alliance.agree('bob');
    const attack = await alliance.release('attack', meanAge(['DEAD', 'true']), {
      agreementId: 'agreement-bob',
    });
    alliance.researcher = before;

    expect(comparisonsOf(attack.cells)).toEqual([COMMON]);
    expect(attack).toMatchObject({
      state: 'SUPPRESSED',
      outcomes: { 'DEAD=true': { status: 'SUPPRESSED' }, 'AGE*DEAD=true': { status: 'SUPPRESSED' } },
    });
    expect(Object.keys(attack.outcomes!)).not.toContain(COMMON);
    const { opened, verdicts } = await alliance.ask(JobContract.Shares, { jobId: 'attack' });
    expect(JSON.stringify([opened, verdicts])).not.toContain(COMMON);
  });

  it('are released where enough are in one of them alone, and the comparison costs the key alone', async () => {
    const [agreement, epoch] = reserved('honest');
    const honest = await alliance.release('honest', meanAge(['STYPE', 'LACS']));
    expect(comparisonsOf(honest.cells)).toEqual(['ATRIAL=true*STYPE=LACS']);
    expect(honest).toMatchObject({
      state: 'RELEASED',
      outcomes: { 'STYPE=LACS': { status: 'PASSED', count: 40 } },
    });
    expect(reserved('honest')).toEqual([agreement! + 2, epoch! + 3]);
  });

  it('are hidden where their counts are close and no comparison is in the job, whatever the committee says', async () => {
    const late = await alliance.get('in-flight');
    expect(comparisonsOf(late.cells)).toEqual([]);
    for (const member of alliance.institutions) await alliance.evaluate(late, member);
    await alliance.aggregate(late);
    expect((await alliance.conclude('in-flight')).state).toBe('SUPPRESSED');
  });

  it('within one job are compared as well', async () => {
    const { cells } = await alliance.submit('one', {
      version: 1,
      statistics: [
        { id: 'a', kind: 'mean', variable: 'RSBP', by: ['ATRIAL'] },
        { id: 'b', kind: 'mean', variable: 'RSBP', by: ['DEAD'] },
      ],
    });
    const ids = ['false', 'true'].flatMap((a) =>
      ['false', 'true'].map((b): string => `ATRIAL=${a}*DEAD=${b}*RSBP:valid`),
    );
    expect(comparisonsOf(cells)).toEqual(ids);
  });
});
