/** Whole jobs of agents on a ledger in memory: more institutions than one sum takes, and agreed privacy noise. */
import { parseSchema, type AnalysisQuery } from '@strokeshare/fhe';
import { publishDataset } from '../src/agent/index.js';
import { forecastText } from '../src/cli/job-text.js';
import { forecast, openResult } from '../src/researcher/index.js';
import { MemoryAlliance, mspOf, PURPOSE } from './support/memoryAlliance.js';

const INSTITUTIONS = 17;
const HOLDERS = 3;
const THRESHOLD = 2;
/** Every one of them lies between 0 and 200. */
const NUMBERS = ['AGE', 'PRESSURE', 'PULSE', 'WEIGHT', 'GLUCOSE', 'SODIUM'];
const HALF = 100;
const schema = parseSchema({
  name: 'small',
  version: '1',
  variables: NUMBERS.map((name) => ({ name, kind: 'numeric', minimum: 0, maximum: 2 * HALF })),
});
const recordsOf = (number: number, size: number) =>
  Array.from({ length: size }, (_, i) =>
    Object.fromEntries(NUMBERS.map((name, k) => [name, (i * (7 + 2 * k) + 31 * number) % (2 * HALF)])),
  );
const SMALL = 6;
/** The first two are enough for a job of their own. */
const cohorts = Array.from({ length: INSTITUTIONS }, (_, i) => recordsOf(i + 1, i < 2 ? 60 : SMALL));

let alliance: MemoryAlliance;
beforeAll(async () => {
  alliance = await MemoryAlliance.start(INSTITUTIONS);
  await alliance.makeKey('epoch-1', HOLDERS, THRESHOLD);
  for (const [i, records] of cohorts.entries())
    await publishDataset(alliance.agent(i + 1), {
      datasetId: `set-${i + 1}`,
      title: `Patients of ${mspOf(i + 1)}`,
      epochId: 'epoch-1',
      schema,
      records,
      patients: records.map((_, row) => `patient ${row}`),
      minimumCohort: 20,
      conditions: [PURPOSE],
      provenance: {
        sourceHash: '0'.repeat(64),
        mappingHash: '0'.repeat(64),
        software: 'test',
        readAt: '2026-11-22T10:00:00Z',
        readBy: 'records office',
      },
    });
}, 300_000);
afterAll(() => alliance?.[Symbol.asyncDispose]());

/** What a sum of the encrypted columns has to be: they hold numbers from -1 to 1. */
const sumOf = (name: string, records: readonly Record<string, number>[]): number =>
  records.reduce((total, record) => total + ((record[name] ?? 0) - HALF) / HALF, 0);

test('seventeen institutions, of which three hold the key, are added by a tree, and the result is theirs', async () => {
  await alliance.agree('all', { datasets: cohorts.map((_, i) => `set-${i + 1}`), variables: NUMBERS });
  const query: AnalysisQuery = { version: 1, statistics: [{ id: 'age', kind: 'mean', variable: 'AGE' }] };
  const job = await alliance.run('tree', query, 'all');
  expect(job).toMatchObject({ state: 'RELEASED', committee: { length: THRESHOLD } });
  expect(job.included).toHaveLength(INSTITUTIONS);
  const all = cohorts.flat();
  expect(job.outcomes).toMatchObject({ _row: { status: 'PASSED', count: all.length } });
  const { values } = await openResult(alliance.researcher, 'tree');
  const { value, deviation } = values.get('AGE')!;
  expect(Math.abs(value - sumOf('AGE', all))).toBeLessThan(8 * deviation);

  // Sixteen and one, for each of two cells; then their sums. Hospital10MSP is the first by name.
  const sums = [...alliance.ledger.state('consortium').keys()].filter((key) => key.includes('job.sum'));
  expect(sums).toHaveLength(4);
  const adding = alliance.events.filter(({ step }) => step === 'aggregate');
  expect(adding).toMatchObject([{ mspId: 'Hospital10MSP', message: 'added 2 cells of 17 institutions' }]);
  const replayed = alliance.events.filter(({ step, id }) => step === 'replay' && id === 'tree');
  expect(replayed.map(({ mspId }) => mspId)).toEqual(['Hospital1MSP', 'Hospital2MSP']);
}, 300_000);

test('a job under agreed privacy has the noise that was agreed, and charges for it until nothing is left', async () => {
  const PER_VALUE = 2_000_000;
  const spent = NUMBERS.length * PER_VALUE;
  await alliance.agree('private', {
    datasets: ['set-1', 'set-2'],
    variables: NUMBERS,
    privacy: { budget: spent, perValue: PER_VALUE },
  });
  const means = (names: readonly string[]): AnalysisQuery => ({
    version: 1,
    statistics: names.map((variable) => ({ id: variable, kind: 'mean', variable })),
  });
  const question = { agreement: 'agreement-private', purpose: PURPOSE, query: means(NUMBERS) };
  const asked = { name: 'noisy', title: 'Means', analyses: [], ...question };
  const planned = await forecast(alliance.researcher, asked);
  expect(planned).toMatchObject({ objections: [], privacy: { needed: spent, left: spent } });
  expect(forecastText(asked, planned)).toMatch(/^ {2}privacy +rho 12\.0 of 12\.0 left$/m);
  const job = await alliance.run('noisy', means(NUMBERS), 'private');
  expect(job).toMatchObject({ state: 'RELEASED', spentMicroRho: spent });

  const { plan, counts, values } = await openResult(alliance.researcher, 'noisy');
  const patients = cohorts.slice(0, 2).flat();
  expect([...counts]).toEqual([['_row', patients.length]]);
  // rho-zCDP of a sum that one patient moves by 1: one holder's variance is 1 / (2 rho), and every holder adds it.
  const agreed = Math.sqrt(THRESHOLD / ((2 * PER_VALUE) / 1e6));
  const errors = [...values].map(([name, { value, deviation }]) => {
    // What is stated is the agreed noise: rounded up by a thousandth at most, the flooding beside it far below that.
    expect(deviation / agreed).toBeGreaterThanOrEqual(1);
    expect(deviation / agreed).toBeLessThan(1.001);
    return (value - sumOf(name, patients)) / deviation;
  });
  expect(errors).toHaveLength(NUMBERS.length);
  for (const error of errors) expect(Math.abs(error)).toBeLessThan(8);
  // All six below a hundredth of the deviation: once in 10^12 jobs. Without noise they are below a thousandth of that.
  expect(Math.max(...errors.map(Math.abs))).toBeGreaterThan(0.01);
  const rounding = Math.max(...plan.cells.map(({ errorDeviation }) => Number(errorDeviation)));
  expect(rounding / agreed).toBeLessThan(1e-5);

  const { objections } = await forecast(alliance.researcher, { ...asked, query: means(['AGE']) });
  expect(objections).toEqual(['the privacy budget does not suffice']);
  expect(await alliance.run('spent', means(['AGE']), 'private')).toMatchObject({
    state: 'REFUSED',
    refusal: { step: 'submit', rule: 'budget', code: 'PRIVACY_BUDGET_EXHAUSTED' },
  });
  // Counts cost nothing of it.
  const count: AnalysisQuery = { version: 1, statistics: [{ id: 'n', kind: 'count' }] };
  expect(await alliance.run('counted', count, 'private')).toMatchObject({ state: 'RELEASED' });
}, 300_000);
