import { closeEvaluators } from '../src/evaluation/evaluators.js';
import { type Query } from '@strokeshare/fhe';
import { consortium } from '../src/index.js';
import { Alliance } from './support/alliance.js';
import { cohort } from './support/cohorts.js';

const cohorts = [cohort(700, 1), cohort(90, 2), cohort(60, 3)];
const patients = cohorts.flat();
const byType: Query = {
  version: 1,
  statistics: [{ id: 'age', kind: 'mean', variable: 'AGE', by: ['STYPE'] }],
};

describe.each(['toy', 'standard'])('a whole job on ciphertexts of the set %s', (set) => {
  let alliance: Alliance;
  beforeAll(async () => {
    alliance = await Alliance.ready(cohorts, 2, set);
  });
  afterAll(async () => {
    await alliance?.[Symbol.asyncDispose]();
    await closeEvaluators();
  });

  it('releases exact counts and the sums behind the means', async () => {
    let job = await alliance.submit('job-1', byType);
    expect(job).toMatchObject({
      state: 'SUBMITTED',
      participants: ['Hospital1MSP', 'Hospital2MSP', 'Hospital3MSP'],
    });
    for (const member of alliance.institutions) await alliance.evaluate(job, member);
    expect(await alliance.get('job-1')).toMatchObject({ state: 'EVALUATING' });

    const [first, ...rest] = job.cells.map(({ id }) => id);
    expect(await alliance.aggregate(job, [first!])).toMatchObject({ state: 'EVALUATING' });
    expect(await alliance.aggregate(job, rest)).toMatchObject({ state: 'AGGREGATED' });
    job = await alliance.get('job-1');
    expect(job.committee).toEqual([
      { mspId: 'Hospital1MSP', index: 1 },
      { mspId: 'Hospital2MSP', index: 2 },
    ]);

    const shares = await alliance.judge(job, 20);
    await alliance.openCounts(job, shares, alliance.openCountCells(job));
    job = await alliance.as(alliance.member(0), consortium.JobContract.CloseCounts, { jobId: 'job-1' });
    expect(job.state).toBe('COUNTED');
    await alliance.releaseValues(job);
    job = await alliance.as(alliance.member(1), consortium.JobContract.CloseRelease, { jobId: 'job-1' });
    expect(job.state).toBe('RELEASED');

    const values = await alliance.values(job);
    const plan = alliance.plan(byType);
    const scaling = plan.scaling['AGE']!;
    for (const row of plan.statistics[0]!.rows) {
      const group = patients.filter(({ STYPE }) => STYPE === row.labels['STYPE']);
      expect(job.outcomes![row.count]).toEqual({ status: 'PASSED', count: group.length });
      const mean = scaling.middle + (scaling.half * values.get(row.sum!)!) / group.length;
      const error = mean - group.reduce((sum, { AGE }) => sum + Number(AGE), 0) / group.length;
      const { errorDeviation } = plan.cells.find(({ id }) => id === row.sum)!;
      expect(Math.abs(error)).toBeLessThan((8 * scaling.half * Number(errorDeviation)) / group.length);
    }
    expect(
      alliance.ledger.events.filter(({ payload }) => (payload as { id: string }).id === 'job-1').at(-1),
    ).toEqual({
      channel: 'consortium',
      name: 'JobContract:CloseRelease',
      payload: { id: 'job-1', state: 'RELEASED' },
    });
  });
});
