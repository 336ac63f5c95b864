/** A regression's step on the ledger: shared out, added by the holders, released, and never about too few. */
import {
  addVectors,
  combineVectorShares,
  dealVector,
  decodeVector,
  encodeVector,
  openVectorShare,
  releaseVectorShare,
  sealTo,
  type AnalysisQuery,
  type VectorContext,
} from '@strokeshare/fhe';
import { closeEvaluators } from '../src/evaluation/evaluators.js';
import { consortium, type JobView } from '../src/index.js';
import { Alliance, EPOCH } from './support/alliance.js';
import { cohort } from './support/cohorts.js';
import { type Institution } from './support/foundation.js';

const { JobContract } = consortium;
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const step = (where?: AnalysisQuery['where'], ages: number[] = [0, 0]): AnalysisQuery => ({
  version: 1,
  statistics: [
    {
      ...{ id: 'step', kind: 'logistic', outcome: { variable: 'DEAD', level: 'true' } },
      terms: [{ variable: 'RSBP' }],
      coefficients: ages,
    },
  ],
  ...(where && { where }),
});
/** Gradient of two, information of three, and the log-likelihood. */
const ENTRIES = 6;

let alliance: Alliance;
beforeAll(async () => {
  alliance = await Alliance.ready([cohort(60, 1), cohort(50, 2), cohort(40, 3)], 2);
});
afterAll(async () => {
  await alliance?.[Symbol.asyncDispose]();
  await closeEvaluators();
});

const vectorContext = (jobId: string): VectorContext => ({
  ...{ parameterSetId: alliance.set.id, epochId: EPOCH, vectorId: `${jobId}/step` },
});
const formatOf = (query: AnalysisQuery) => alliance.plan(query).vector!.format;

async function counted(jobId: string, query: AnalysisQuery): Promise<JobView> {
  const job = await alliance.submit(jobId, query);
  for (const member of alliance.institutions) await alliance.evaluate(job, member);
  await alliance.aggregate(job);
  return alliance.conclude(jobId, 20, 'COUNTED');
}

/** What an institution shares out: any numbers, here its own. */
async function sharesOf(jobId: string, query: AnalysisQuery, member: Institution, values: number[]) {
  const { holders, threshold } = alliance;
  const words = encodeVector(values, formatOf(query));
  const keys = holders.map(({ sealing }) => sealing.publicKey);
  const sealed = await dealVector(vectorContext(jobId), member.mspId, words, threshold, keys);
  return Object.fromEntries(holders.map(({ mspId }, i) => [mspId, base64(sealed[i]!)]));
}

async function shareOfSum(job: JobView, query: AnalysisQuery, member: Institution): Promise<Uint8Array> {
  const { dealt } = await alliance.ask(JobContract.Shares, { jobId: job.jobId });
  const context = vectorContext(job.jobId);
  const holder = { index: member.holder!.index, keys: member.sealing };
  const vectors = await Promise.all(
    Object.entries(dealt).map(([contributor, { sealed }]) =>
      openVectorShare(
        context,
        contributor,
        holder,
        new Uint8Array(Buffer.from(sealed[member.mspId]!, 'base64')),
        formatOf(query).length,
      ),
    ),
  );
  const committee = job.committee!.map(({ index }) => index);
  return releaseVectorShare(member.holder!, {
    ...{ vectorId: context.vectorId, sum: addVectors(vectors), inputs: 'the same for all', committee },
  });
}

it('releases the sum of what the institutions shared out, and charges every number of it', async () => {
  const query = step(undefined, [2 ** 39, -(2 ** 38)]);
  const before = await alliance.ask(consortium.AgreementContract.Get, { agreementId: 'agreement-1' });
  const job = await counted('job-step', query);
  // Every eleventh patient has no pressure.
  const complete = alliance.institutions
    .flatMap(({ records }) => records)
    .filter(({ RSBP }) => RSBP !== null).length;
  expect(job.outcomes).toEqual({ 'RSBP:valid': { status: 'PASSED', count: complete } });
  expect(job.vector).toEqual({
    ...{ statistic: 'step', countCell: 'RSBP:valid', model: 'DEAD=true~RSBP', length: ENTRIES },
  });
  const { reserved } = await alliance.ask(consortium.AgreementContract.Get, { agreementId: 'agreement-1' });
  expect(reserved - before.reserved).toBe(1 + ENTRIES);

  const values = alliance.institutions.map((_, i) => Array.from({ length: ENTRIES }, (_, j) => i - j / 8));
  const shared = await Promise.all(
    alliance.institutions.map((member, i) => sharesOf('job-step', query, member, values[i]!)),
  );
  const deal = (i: number, sealed = shared[i]!) =>
    alliance.as(alliance.member(i), JobContract.DealVector, { jobId: 'job-step', sealed });
  const [{ [alliance.member(0).mspId]: _, ...incomplete }] = shared as [Record<string, string>];
  await expect(deal(0, incomplete)).rejects.toThrow(/BAD_REQUEST/);
  await deal(0);
  await deal(1);
  // The same again is a retry; another vector is not.
  await deal(1);
  await expect(deal(1, shared[2])).rejects.toThrow(/ALREADY_EXISTS/);

  const post = async (member: Institution, withVector = true) => {
    const { publicKey } = alliance.researcherKeys;
    const seal = async (bytes: Uint8Array) => base64(await sealTo(publicKey, bytes, Buffer.from('job-step')));
    return alliance.as(member, JobContract.PostValueShares, {
      jobId: 'job-step',
      sealed: await seal(Buffer.from('{}')),
      ...(withVector && { sealedVector: await seal(await shareOfSum(job, query, member)) }),
    });
  };
  const [first, second] = alliance.committee(job) as [Institution, Institution];
  await expect(post(first)).rejects.toThrow(/SHARES_MISSING.*Hospital3MSP/);
  // Nobody replaces holders that wait for an institution; and that one is named when the deadline has passed.
  const later = alliance.ledger.fork();
  later.now += 2 * 3_600_000;
  const identity = first.agent;
  await expect(later.call(JobContract.ReplaceCommittee, { jobId: 'job-step' }, { identity })).rejects.toThrow(
    /ILLEGAL_STATE/,
  );
  later.now = Date.parse(job.deadline) + 1;
  const failed = await later.simulate(JobContract.Get, { jobId: 'job-step' }, { identity });
  expect(failed.response).toMatchObject({ state: 'FAILED', missing: ['Hospital3MSP'] });

  await deal(2);
  await expect(post(first, false)).rejects.toThrow(/BAD_REQUEST/);
  await post(first);
  await post(second);
  const done = await alliance.as(first, JobContract.CloseRelease, { jobId: 'job-step' });
  expect(done.state).toBe('RELEASED');
  const shares = await Promise.all([first, second].map((member) => shareOfSum(job, query, member)));
  const committee = job.committee!.map(({ index }) => index);
  const words = combineVectorShares(vectorContext('job-step'), committee, shares, ENTRIES);
  expect([...decodeVector(words, formatOf(query))]).toEqual(
    Array.from({ length: ENTRIES }, (_, j) => values.reduce((sum, own) => sum + own[j]!, 0)),
  );
});

it('shares out nothing about too few, nor before the count has passed', async () => {
  const query = step([{ variable: 'STYPE', level: 'LACS' }]);
  const job = await alliance.submit('job-few', query);
  const shared = await sharesOf('job-few', query, alliance.member(0), new Array<number>(ENTRIES).fill(1));
  const deal = () =>
    alliance.as(alliance.member(0), JobContract.DealVector, { jobId: 'job-few', sealed: shared });
  await expect(deal()).rejects.toThrow(/ILLEGAL_STATE/);
  for (const member of alliance.institutions) await alliance.evaluate(job, member);
  await alliance.aggregate(job);
  // More than there are patients with lacunar syndrome.
  const closed = await alliance.conclude('job-few', 1000, 'COUNTED');
  expect(Object.values(closed.outcomes!)).toEqual([{ status: 'SUPPRESSED' }]);
  await expect(deal()).rejects.toThrow(/ILLEGAL_STATE/);
  const ended = await alliance.as(alliance.committee(closed)[0]!, JobContract.CloseRelease, {
    jobId: 'job-few',
  });
  expect(ended.state).toBe('SUPPRESSED');
});

it.each([
  ['a threshold instead of a probability', step(undefined, [0, 49 * 2 ** 40]), /more than 48/],
  ['a coefficient too few', step(undefined, [0]), /coefficient for each term/],
])('refuses %s', async (_, query, reason) => {
  await expect(alliance.submit('job-wrong', query)).rejects.toThrow(reason);
});
