/** A logistic regression by agents on a ledger in memory, from the question to the coefficients. */
import { Readable } from 'node:stream';
import { parseSchema } from '@strokeshare/fhe';
import { publishDataset } from '../src/agent/index.js';
import { parseRegression, regress, type ResearcherContext } from '../src/researcher/index.js';
import { logisticAggregate, logisticRegression } from '../src/statistics/index.js';
import { MemoryAlliance, PURPOSE } from './support/memoryAlliance.js';

const INSTITUTIONS = 3;
const schema = parseSchema({
  name: 'small',
  version: '1',
  variables: [
    { name: 'AGE', kind: 'numeric', minimum: 0, maximum: 200 },
    { name: 'DEAD', kind: 'boolean' },
  ],
});
/** Death becomes more likely with age, and is never certain. */
const recordsOf = (number: number) =>
  Array.from({ length: 60 }, (_, i) => {
    const age = (i * 37 + number * 11) % 100;
    return { AGE: age, DEAD: (i * 29 + number) % 100 < 15 + age / 2 };
  });
const cohorts = Array.from({ length: INSTITUTIONS }, (_, i) => recordsOf(i));
const datasets = cohorts.map((_, i) => `set-${i + 1}`);

let alliance: MemoryAlliance;
beforeAll(async () => {
  alliance = await MemoryAlliance.start(INSTITUTIONS);
  await alliance.makeKey('epoch-1', INSTITUTIONS, 2);
  for (const [i, records] of cohorts.entries())
    await publishDataset(alliance.agent(i + 1), {
      ...{ datasetId: datasets[i]!, title: 'Patients', epochId: 'epoch-1', schema, records },
      patients: records.map((_, row) => `patient ${row}`),
      minimumCohort: 20,
      conditions: [PURPOSE],
      provenance: {
        ...{ sourceHash: '0'.repeat(64), mappingHash: '0'.repeat(64), software: 'test' },
        ...{ readAt: '2026-11-22T10:00:00Z', readBy: 'records office' },
      },
    });
}, 300_000);
afterAll(() => alliance?.[Symbol.asyncDispose]());

/** The researcher, whose jobs the agents do as soon as they are submitted. */
function researcher(): ResearcherContext {
  const { client, ...rest } = alliance.researcher;
  const submit: typeof client.jobs.submit = async (...asked) => {
    const job = await client.jobs.submit(...asked);
    await alliance.settle();
    return job;
  };
  // By then nothing is left to wait for.
  const events = () => Readable.from([]);
  return { ...rest, events, client: { ...client, jobs: { ...client.jobs, submit } } };
}

const file = (agreement: string) =>
  parseRegression(
    {
      ...{ name: 'death', title: 'Death by age', agreement: `agreement-${agreement}`, purpose: PURPOSE },
      regression: { outcome: { variable: 'DEAD', level: 'true' }, numbers: ['AGE'] },
    },
    'of the test',
  );

test('the agents’ fit is the one of all patients together, and every number of it is charged', async () => {
  await alliance.agree('fit', { datasets, variables: ['AGE', 'DEAD'], statistics: ['logistic'] });
  const fit = await regress(researcher(), file('fit'));
  const rows = cohorts.flat().map(({ AGE, DEAD }) => ({ terms: [1, AGE], outcome: DEAD }));
  const plain = await logisticRegression(['intercept', 'AGE'], async (at) => logisticAggregate(rows, at));
  expect(fit.patients).toBe(rows.length);
  fit.regression.coefficients.forEach(({ term, estimate, standardError }, i) => {
    expect(term).toBe(plain.coefficients[i]!.term);
    expect(Math.abs(estimate - plain.coefficients[i]!.estimate)).toBeLessThan(1e-6);
    expect(Math.abs(standardError - plain.coefficients[i]!.standardError)).toBeLessThan(1e-5);
  });
  // A count, two of the gradient, three of the information and the likelihood, for every job.
  const { reserved } = await alliance.researcher.client.agreements.get({ agreementId: 'agreement-fit' });
  expect(reserved).toBe(7 * fit.jobs.length);
  const shared = alliance.events.filter(({ step }) => step === 'vector');
  expect(shared).toHaveLength(INSTITUTIONS * fit.jobs.length);
}, 300_000);

test('a step under an agreement with differential privacy is refused on the ledger', async () => {
  await alliance.agree('private', {
    ...{ datasets, variables: ['AGE', 'DEAD'], statistics: ['logistic'] },
    privacy: { budget: 1_000_000, perValue: 1_000_000 },
  });
  await expect(regress(researcher(), file('private'))).rejects.toMatchObject({
    ...{ code: 'JOB_REFUSED', refusalCode: 'STATISTIC_NOT_COVERED' },
  });
});
