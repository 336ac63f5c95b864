import { closeEvaluators } from '../src/evaluation/evaluators.js';
import { consortium, type JobView, privateRecords } from '../src/index.js';
import { Alliance } from './support/alliance.js';
import { byType, cellOf, cohorts, idsOf } from './support/smallGroups.js';

const { JobContract } = consortium;
const { RecordsContract } = privateRecords;

describe('evaluation under attack', () => {
  let alliance: Alliance;
  beforeAll(async () => {
    alliance = await Alliance.ready(cohorts, 2);
  });
  afterAll(async () => {
    await alliance?.[Symbol.asyncDispose]();
    await closeEvaluators();
  });
  let job: JobView;
  beforeAll(async () => {
    job = await alliance.submit('e-1', byType);
  });
  const evaluate = (transient: Record<string, Uint8Array>, cells = idsOf(job), index = 0) =>
    alliance.as(alliance.member(index), RecordsContract.Evaluate, { jobId: job.jobId, cells }, transient);
  const product = () => job.cells.find(({ kind }) => kind === 'value')!.id;

  it('asks for the relinearisation key once, and takes no other', async () => {
    await closeEvaluators();
    const columns = alliance.columnsFor(alliance.member(0));
    await expect(evaluate(columns, [product()])).rejects.toThrow('KEY_NEEDED');
    await expect(evaluate({ ...columns, relinKeys: alliance.publicKey })).rejects.toThrow('HASH_MISMATCH');
    const { partials } = await evaluate({ ...columns, relinKeys: alliance.relinKeys }, [product()]);
    // The process keeps the key; the same evaluation gives the same bytes.
    expect((await evaluate(columns, [product()])).partials).toEqual(partials);
  });

  it('refuses a missing and a swapped ciphertext', async () => {
    const columns = alliance.columnsFor(alliance.member(0));
    const name = 'column/ist-1/batch-1/AGE';
    const { [name]: age, ...rest } = columns;
    await expect(evaluate({ ...rest, relinKeys: alliance.relinKeys })).rejects.toThrow(
      `BLOB_MISSING: The transient data lacks "${name}".`,
    );
    const flipped = age!.slice();
    flipped[5000]! ^= 1;
    await expect(evaluate({ ...columns, [name]: flipped })).rejects.toThrow('HASH_MISMATCH');
    const foreign = alliance.member(1).columns.get('column/ist-2/batch-1/AGE')!;
    await expect(evaluate({ ...columns, [name]: foreign })).rejects.toThrow('HASH_MISMATCH');
  });

  it('refuses cells that are not in the plan, jobs that do not exist, and too much data', async () => {
    const columns = alliance.columnsFor(alliance.member(0));
    await expect(evaluate(columns, ['DEAD=true'])).rejects.toThrow('BAD_REQUEST');
    const none = alliance.as(
      alliance.member(0),
      RecordsContract.Evaluate,
      { jobId: 'none', cells: ['x'] },
      columns,
    );
    await expect(none).rejects.toThrow('NOT_FOUND');
    const padding = new Uint8Array(16 * 1024 * 1024);
    await expect(evaluate({ ...columns, padding })).rejects.toThrow('TOO_MUCH_WORK');
  });

  it('refuses an agent of an institution that takes no part', async () => {
    await alliance.agree('one', { datasets: ['ist-1'] });
    await alliance.submit('e-2', byType, { agreementId: 'agreement-one' });
    const call = alliance.as(alliance.member(1), RecordsContract.Evaluate, {
      jobId: 'e-2',
      cells: [cellOf('LACS')],
    });
    await expect(call).rejects.toThrow('NOT_A_PARTY');
    const post = alliance.as(alliance.member(1), JobContract.PostPartials, {
      jobId: 'e-2',
      partials: {},
      withheld: [],
    });
    await expect(post).rejects.toThrow('NOT_A_PARTY');
  });
});
