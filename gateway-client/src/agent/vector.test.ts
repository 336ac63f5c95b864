/** A regression over four hospitals by the agents' own functions: everything but the ledger between them. */
import type { JobAccess, SharesView } from '@strokeshare/chaincode';
import {
  combineVectorShares,
  decodeVector,
  generateSealingKeyPair,
  logisticSumsOf,
  parameterSet,
  plan,
  type AnalysisQuery,
} from '@strokeshare/fhe';
import { fieldsOfRecords, logisticSums, type LogisticRequest } from '@strokeshare/storage-node';
import { join } from 'node:path';
import { makeEpoch, type EpochOfTest } from '../../test/toy-epoch.js';
import { Oracle } from '../../test/oracles/oracle.js';
import { dealTrial, type DealtRecords } from '../demo/records.js';
import { parseRegression, regressionSteps } from '../researcher/regression.js';
import { logisticRegression, type LogisticAggregate } from '../statistics/index.js';
import type { AgentContext } from './context.js';
import { dealOwnVector, sumShare, undealt, vectorContext } from './vector.js';

const set = parameterSet('toy');
const MEMBERS = ['Hospital1MSP', 'Hospital2MSP', 'Hospital3MSP', 'Hospital4MSP'];
const THRESHOLD = 3;
const COMMITTEE = [1, 2, 4];

let trial: DealtRecords;
let epoch: EpochOfTest;
let sealing: Awaited<ReturnType<typeof generateSealingKeyPair>>[];
beforeAll(async () => {
  trial = await dealTrial(join(__dirname, '..', '..', '..', 'data'), MEMBERS.length);
  epoch = await makeEpoch(set, 'epoch-1', MEMBERS, THRESHOLD);
  sealing = await Promise.all(MEMBERS.map(() => generateSealingKeyPair()));
});
afterAll(() => epoch?.holderKeys.forEach((key) => key[Symbol.dispose]()));

/** A job whose count has passed, as everybody reads it. */
function accessTo(jobId: string, query: AnalysisQuery): { access: JobAccess; made: ReturnType<typeof plan> } {
  const circumstances = { holders: 4, threshold: THRESHOLD, institutions: 4, batches: 4 };
  const made = plan(
    query,
    MEMBERS.map(() => trial.schema),
    set,
    circumstances,
  );
  const access = {
    job: {
      jobId,
      query,
      planHash: made.hash,
      cells: made.cells,
      participants: MEMBERS,
      included: MEMBERS,
      committee: COMMITTEE.map((index) => ({ mspId: MEMBERS[index - 1], index })),
      vector: { countCell: made.vector?.countCell },
      outcomes: { [made.vector?.countCell ?? '']: { status: 'PASSED' } },
    },
    epoch: { epochId: 'epoch-1', parameterSetId: set.id, members: MEMBERS, threshold: THRESHOLD },
    datasets: MEMBERS.map((owner) => ({
      ...{ owner, datasetId: `ist-${owner}`, schema: trial.schema },
      batches: [{ batchId: 'batch-0001' }],
    })),
  };
  return { access: access as unknown as JobAccess, made };
}

/** What one hospital's agent computes, and posts. */
function hospital(index: number, dealt: SharesView['dealt']): AgentContext {
  const fields = fieldsOfRecords((trial.hospitals[index] ?? []).map(({ values }) => values));
  const context = {
    mspId: MEMBERS[index],
    report: () => undefined,
    originals: { logistic: async (_: string, request: LogisticRequest) => logisticSums(fields, request) },
    consortium: {
      institutions: {
        list: async () => ({
          items: MEMBERS.map((mspId, i) => ({
            mspId,
            sealingKey: Buffer.from(sealing[i]!.publicKey).toString('base64'),
          })),
        }),
      },
      jobs: {
        dealVector: async ({ sealed }: { sealed: Record<string, string> }) => {
          dealt[MEMBERS[index]!] = { sealed, at: '' };
        },
      },
    },
  };
  return context as unknown as AgentContext;
}

/** One step from the hospitals' records to the researcher's sums. */
async function released(jobId: string, query: AnalysisQuery) {
  const { access, made } = accessTo(jobId, query);
  const dealt: SharesView['dealt'] = {};
  for (const index of MEMBERS.keys()) {
    expect(undealt(access.job, { dealt })).toEqual(MEMBERS.slice(index));
    await dealOwnVector(hospital(index, dealt), access);
  }
  expect(undealt(access.job, { dealt })).toEqual([]);
  const vector = made.vector!;
  const shares = await Promise.all(
    COMMITTEE.map((index) =>
      sumShare(epoch.holderKeys[index - 1]!, sealing[index - 1]!, access, made, dealt),
    ),
  );
  const context = vectorContext(access, vector);
  const words = combineVectorShares(context, COMMITTEE, shares, vector.format.length);
  return { access, made, dealt, entries: decodeVector(words, vector.format) };
}

const file = parseRegression(
  {
    ...{ name: 'death', title: 'Death within 14 days', agreement: 'a', purpose: 'DUO:0000007' },
    regression: {
      outcome: { variable: 'ID14', level: '1' },
      numbers: ['AGE'],
      groups: ['SEX', 'RCONSC', 'RXASP'],
    },
  },
  'the test',
);

// Truth: statsmodels' Logit on the pooled records, in test/oracles.
test('the fit over four hospitals is the maximum likelihood of all patients', async () => {
  const truth = Oracle.ist().at('logisticRegression');
  const steps = regressionSteps(file, trial.schema);
  let asked = 0;
  const oracle = async (coefficients: readonly number[]): Promise<LogisticAggregate> => {
    const { entries } = await released(`job-${(asked += 1)}`, steps.queryAt(coefficients));
    return steps.inOwnUnits(logisticSumsOf(entries, coefficients.length));
  };
  const fit = await logisticRegression(steps.terms, oracle, { tolerance: 1e-8, maximumReleases: 10 });
  expect(steps.terms).toEqual(['intercept', 'AGE', 'SEX=M', 'RCONSC=D', 'RCONSC=U', 'RXASP=N']);
  const [intercept, age, male, drowsy, unconscious, none] = fit.coefficients.map(({ estimate }) => estimate);
  // The oracle's age is (AGE - 57.5) / 41.5, and its last term is aspirin given.
  const mine = [intercept! + 57.5 * age! + none!, 41.5 * age!, male!, drowsy!, unconscious!, -none!];
  const theirs = truth.numbers('coefficients');
  mine.forEach((value, i) => expect(Math.abs(value - theirs[i]!)).toBeLessThan(1e-6));
  const errors = truth.numbers('standardErrors');
  expect(fit.coefficients.slice(2).map(({ standardError }) => standardError)).toEqual(
    errors.slice(2).map((value) => expect.closeTo(value, 6) as number),
  );
  expect(fit.logLikelihood).toBeCloseTo(truth.number('logLikelihood'), 4);
  // Each is a release that is charged.
  expect(fit.releases).toBe(asked);
  expect(asked).toBeLessThanOrEqual(7);
});

test('only patients that meet the conditions are in the sums', async () => {
  const steps = regressionSteps(
    { ...file, regression: { ...file.regression, groups: [], where: [{ variable: 'SEX', level: 'F' }] } },
    trial.schema,
  );
  const { entries } = await released('job-women', steps.queryAt([0, 0]));
  const women = trial.all.filter(({ values }) => values['SEX'] === 'F');
  const dead = women.filter(({ values }) => String(values['ID14']) === '1').length;
  expect(entries[0]).toBeCloseTo(dead - women.length / 2, 6);
});

test('fewer holders than the threshold open nothing, and shares open for one holder and one job alone', async () => {
  const steps = regressionSteps(file, trial.schema);
  const { access, made, dealt } = await released('job-few', steps.queryAt([0, 0, 0, 0, 0, 0]));
  const share = (index: number, keys = sealing[index - 1]!) =>
    sumShare(epoch.holderKeys[index - 1]!, keys, access, made, dealt);
  const { length } = made.vector!.format;
  const context = vectorContext(access, made.vector!);
  const two = [await share(1), await share(2)];
  expect(() => combineVectorShares(context, COMMITTEE, two, length)).toThrow(
    expect.objectContaining({ code: 'COMMITTEE_INVALID' }),
  );
  await expect(share(1, sealing[1])).rejects.toMatchObject({ code: 'SEALED_MESSAGE_INVALID' });
  // Shares of another job do not open here.
  const other = accessTo('job-other', access.job.query).access;
  await expect(sumShare(epoch.holderKeys[0]!, sealing[0]!, other, made, dealt)).rejects.toMatchObject({
    code: 'SEALED_MESSAGE_INVALID',
  });
});
