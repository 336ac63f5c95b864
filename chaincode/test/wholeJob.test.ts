import { closeEvaluators } from '../src/evaluation/evaluators.js';
import {
  type AnalysisQuery,
  type CorrelationStatistic,
  type PatientRecord,
  type PlanStatistic,
  type Query,
  type SurvivalStatistic,
} from '@strokeshare/fhe';
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
    for (const row of (plan.statistics[0] as PlanStatistic).rows) {
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

  it('releases the moments of a correlation and the intervals of a survival', async () => {
    const query: AnalysisQuery = {
      version: 1,
      statistics: [
        { id: 'rho', kind: 'correlation', variables: ['AGE', 'RSBP'] },
        { id: 'km', kind: 'survival', variable: 'SURVIVAL' },
      ],
    };
    const job = await alliance.release('job-2', query);
    expect(job.state).toBe('RELEASED');
    const values = await alliance.values(job);
    const plan = alliance.plan(query);
    const [rho, km] = plan.statistics as [CorrelationStatistic, SurvivalStatistic];
    const both = patients.filter(({ RSBP }) => RSBP !== null);
    const scaled = (name: string) => (record: PatientRecord) =>
      (Number(record[name]) - plan.scaling[name]!.middle) / plan.scaling[name]!.half;
    const [x, y] = [scaled('AGE'), scaled('RSBP')];
    const [row] = rho.rows;
    expect(job.outcomes![row!.count]).toEqual({ status: 'PASSED', count: both.length });
    for (const [cell, term] of [
      [row!.sum, x],
      [row!.otherSquares, (r: PatientRecord) => y(r) ** 2],
      [row!.product, (r: PatientRecord) => x(r) * y(r)],
    ] as const) {
      const { errorDeviation } = plan.cells.find(({ id }) => id === cell)!;
      const error = values.get(cell)! - both.reduce((sum, record) => sum + term(record), 0);
      expect(Math.abs(error)).toBeLessThan(8 * Number(errorDeviation));
    }
    for (const { time, events, censored } of km.rows[0]!.points) {
      const ended = patients.filter(
        ({ TD }) => Number(TD) <= time && Number(TD) > time - (time === 7 ? 8 : 7),
      );
      expect(job.outcomes![events]!.count).toBe(ended.filter(({ DEAD }) => DEAD).length);
      expect(job.outcomes![censored]!.count).toBe(ended.filter(({ DEAD }) => !DEAD).length);
    }
  });
});
