import { closeEvaluators } from '../src/evaluation/evaluators.js';
import {
  type AnalysisQuery,
  type CorrelationStatistic,
  type PatientRecord,
  type PlanStatistic,
  type Query,
  type SurvivalStatistic,
  workOf,
} from '@strokeshare/fhe';
import { chunksThatFit, consortium, evaluationLoad, MAXIMUM_TRANSIENT_BYTES } from '../src/index.js';
import { Alliance } from './support/alliance.js';
import { cohort } from './support/cohorts.js';
import { endure } from './support/load.js';
import { inProcesses, onLedger } from './support/processes.js';
import { NO_OTHER_RUNTIME, otherRuntimes } from './support/runtimes.js';

const cohorts = [cohort(700, 1), cohort(90, 2), cohort(60, 3)];
const patients = cohorts.flat();
/** Moments of two numbers, and the intervals of a survival. */
const moments: AnalysisQuery = {
  version: 1,
  statistics: [
    { id: 'rho', kind: 'correlation', variables: ['AGE', 'RSBP'] },
    { id: 'km', kind: 'survival', variable: 'SURVIVAL' },
  ],
};
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

  /** What the contracts found is what new processes of some runtimes find, by version. */
  async function expectSameBytes(runtimes: ReadonlyMap<string, string>, each = 1): Promise<void> {
    const job = await alliance.get('job-1');
    const expected = await onLedger(alliance, job);
    const files = [...runtimes].flatMap(([node, file]) =>
      Array.from({ length: each }, () => ({ node, file })),
    );
    const found = await inProcesses(
      alliance,
      job,
      files.map(({ file }) => file),
    );
    expect(found).toEqual(files.map(({ node }) => ({ ...expected, node })));
  }
  if (set === 'standard') {
    it('has the same bytes in the processes of two institutions, and after a restart', () =>
      expectSameBytes(new Map([[process.version, process.execPath]]), 2));

    const others = otherRuntimes();
    const inOthers = others.size === 0 ? it.skip : it;
    inOthers(
      `has the same bytes on other versions of the runtime${others.size === 0 ? `: ${NO_OTHER_RUNTIME}` : ''}`,
      () => expectSameBytes(others),
    );
  }

  it('releases the moments of a correlation and the intervals of a survival', async () => {
    const job = await alliance.release('job-2', moments);
    expect(job.state).toBe('RELEASED');
    const values = await alliance.values(job);
    const plan = alliance.plan(moments);
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

  if (set === 'standard')
    it('answers while four full-size evaluations want to run: two do, the others come back', async () => {
      const job = await alliance.submit('job-3', moments);
      const plan = alliance.planOf(job);
      const load = (some: readonly string[]) => evaluationLoad(plan, some, 1, alliance.set);
      const cells = job.cells.map(({ id }) => id);
      const [most] = chunksThatFit(cells, load);
      expect(load(most!).bytes).toBeGreaterThan(MAXIMUM_TRANSIENT_BYTES / 2);
      const { columns } = workOf(plan, most!);
      const columnsOf = (member: number) =>
        Object.fromEntries(
          [...alliance.batchesOf(alliance.member(member))].flatMap(([prefix, blobs]) =>
            columns.map((name) => [`${prefix}/${name}`, blobs.get(name)!]),
          ),
        );
      const heavy = [0, 1, 2, 0].map((member) => ({
        member,
        jobId: job.jobId,
        cells: most!,
        transient: { ...columnsOf(member), relinKeys: alliance.relinKeys },
      }));
      const { partials, answered, busy } = await endure(alliance, heavy, 50);
      expect(answered).toBeGreaterThanOrEqual(50);
      expect(busy).toBeGreaterThan(0);
      expect(partials[3]).toEqual(partials[0]);
      expect(new Set(partials.flatMap((own) => Object.values(own))).size).toBe(3 * most!.length);
    });
});
