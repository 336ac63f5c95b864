import { type AnalysisQuery, blobHash } from '@strokeshare/fhe';
import { closeEvaluators } from '../src/evaluation/evaluators.js';
import { consortium, type JobView, MAXIMUM_VALUE_BYTES } from '../src/index.js';
import { Alliance, EPOCH } from './support/alliance.js';
import { cohort } from './support/cohorts.js';
import { MvccConflict } from './support/memoryLedger.js';

const { JobContract } = consortium;
const INSTITUTIONS = 18;
const cohorts = Array.from({ length: INSTITUTIONS }, (_, i) => cohort(12 + i, i + 1));
const meanAge: AnalysisQuery = { version: 1, statistics: [{ id: 'age', kind: 'mean', variable: 'AGE' }] };

describe('more institutions than one sum takes', () => {
  let alliance: Alliance;
  beforeAll(async () => {
    alliance = await Alliance.ready(cohorts, 2, 'toy', 3);
  });
  afterAll(async () => {
    await alliance?.[Symbol.asyncDispose]();
    await closeEvaluators();
  });
  /** Hospital10MSP comes before Hospital1MSP. */
  const first = (job: JobView): number =>
    alliance.institutions.findIndex(({ mspId }) => mspId === job.participants[0]);
  const add = (
    job: JobView,
    request: { cells: string[]; group?: number },
    blobs: Record<string, Uint8Array>,
  ) =>
    alliance.as(alliance.member(first(job)), JobContract.Aggregate, { jobId: job.jobId, ...request }, blobs);

  it('are added by groups, to the same bytes as all at once, and released', async () => {
    const job = await alliance.submit('tree', meanAge);
    for (const member of alliance.institutions) await alliance.evaluate(job, member);
    const partials = await alliance.partialBlobs('tree');
    await expect(add(job, { cells: ['AGE'] }, partials)).rejects.toThrow(
      'PARTIALS_MISSING: The group 0 of AGE is not added yet.',
    );
    await expect(add(job, { cells: ['AGE'], group: 2 }, partials)).rejects.toThrow('BAD_REQUEST');
    const swapped = { ...partials, 'partial/AGE/Hospital11MSP': partials['partial/AGE/Hospital2MSP']! };
    await expect(add(job, { cells: ['AGE'], group: 0 }, swapped)).rejects.toThrow('HASH_MISMATCH');
    const { sums } = await add(job, { cells: ['AGE'], group: 1 }, partials);
    // A retry is no change, whoever asks and with whatever.
    expect((await add(job, { cells: ['AGE'], group: 1 }, {})).sums).toEqual(sums);

    const made = await alliance.addGroups(
      job,
      ['AGE'],
      [job.participants.slice(0, 16)],
      partials,
      first(job),
    );
    const wrong = { ...made, 'sum/AGE/1': made['sum/AGE/0']! };
    await expect(add(job, { cells: ['AGE'] }, wrong)).rejects.toThrow('HASH_MISMATCH');
    await alliance.aggregate(job, undefined, first(job));
    const { aggregates } = await alliance.ask(JobContract.Aggregates, { jobId: 'tree' });
    for (const cell of ['AGE', '_row']) {
      const blobs = job.participants.map((mspId) => partials[`partial/${cell}/${mspId}`]!);
      expect(aggregates[cell]!.hash).toBe(blobHash(await alliance.evaluator.add(EPOCH, blobs)));
    }
    const ended = await alliance.conclude('tree');
    expect(ended).toMatchObject({ state: 'RELEASED', committee: { length: 2 } });
    expect(ended.included).toHaveLength(INSTITUTIONS);
    expect(ended.outcomes!['_row']).toEqual({ status: 'PASSED', count: cohorts.flat().length });
  });

  it('keep every state value within its limit', () => {
    const sizes = [...alliance.ledger.state('consortium').values()].map((value) => Buffer.byteLength(value));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(MAXIMUM_VALUE_BYTES);
  });

  it('post into many jobs at once without a conflict', async () => {
    const jobs: JobView[] = [];
    for (let i = 0; i < 30; i++) jobs.push(await alliance.submit(`many-${i}`, meanAge));
    const post = (job: JobView, index: number) => {
      const { mspId, agent } = alliance.member(index);
      const hashes = Object.fromEntries(job.cells.map(({ id }) => [id, blobHash(Buffer.from(mspId + id))]));
      const request = { jobId: job.jobId, partials: hashes, withheld: [] };
      return alliance.ledger.simulate(JobContract.PostPartials, request, { identity: agent });
    };
    // All are endorsed on the same state before any commits.
    const simulated = await Promise.all(
      jobs.flatMap((job) => alliance.institutions.map((_, index) => post(job, index))),
    );
    for (const simulation of simulated) alliance.ledger.commit(simulation);
    for (const { jobId } of jobs) expect((await alliance.get(jobId)).posted).toHaveLength(INSTITUTIONS);
  });

  it('submit into one budget: whoever loses the race submits again, and nobody is lost', async () => {
    let waiting = Array.from({ length: 10 }, (_, i) => `race-${i}`);
    const submission = (jobId: string) => ({
      jobId,
      agreementId: 'agreement-1',
      purpose: 'DUO:0000007',
      query: meanAge,
    });
    let rounds = 0;
    for (; waiting.length > 0; rounds++) {
      const simulated = await Promise.all(
        waiting.map((jobId) =>
          alliance.ledger.simulate(JobContract.Submit, submission(jobId), { identity: alliance.researcher }),
        ),
      );
      const before = waiting;
      waiting = before.filter((_, i) => {
        try {
          alliance.ledger.commit(simulated[i]!);
          return false;
        } catch (error) {
          if (error instanceof MvccConflict) return true;
          throw error;
        }
      });
      expect(waiting.length).toBeLessThan(before.length);
    }
    expect(rounds).toBeLessThanOrEqual(10);
    for (let i = 0; i < 10; i++) expect((await alliance.get(`race-${i}`)).state).toBe('SUBMITTED');
  });
});
