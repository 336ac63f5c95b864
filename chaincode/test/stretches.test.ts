import { blobHash, workOf } from '@strokeshare/fhe';
import { closeEvaluators } from '../src/evaluation/evaluators.js';
import { type JobView, privateRecords } from '../src/index.js';
import { Alliance, EPOCH } from './support/alliance.js';
import { cohort } from './support/cohorts.js';
import { byType } from './support/smallGroups.js';

const { RecordsContract } = privateRecords;

describe('an evaluation over many batches', () => {
  let alliance: Alliance;
  let job: JobView;
  let batches: Map<string, Uint8Array>[];
  let names: string[];
  beforeAll(async () => {
    alliance = await Alliance.ready([cohort(1800, 1), cohort(60, 2)], 2);
    job = await alliance.submit('s-1', byType);
    const own = alliance.batchesOf(alliance.member(0));
    names = [...own.keys()];
    batches = [...own.values()];
  });
  afterAll(async () => {
    await alliance?.[Symbol.asyncDispose]();
    await closeEvaluators();
  });
  const cells = () => job.cells.map(({ id }) => id);
  const columns = (from: number, until: number): Record<string, Uint8Array> => {
    const wanted = workOf(alliance.planOf(job), cells()).columns;
    const found = names
      .slice(from, until)
      .flatMap((prefix, i) =>
        wanted.map((name) => [`${prefix}/${name}`, batches[from + i]!.get(name)!] as const),
      );
    return { ...Object.fromEntries(found), relinKeys: alliance.relinKeys };
  };
  const evaluate = (
    from: number,
    until: number,
    running: ReadonlyMap<string, Uint8Array> = new Map(),
    some = cells(),
  ) => {
    const sums = Object.fromEntries([...running].map(([cell, blob]) => [`running/${cell}`, blob]));
    return alliance.as(
      alliance.member(0),
      RecordsContract.Evaluate,
      { jobId: job.jobId, cells: some, from, until },
      { ...columns(from, until), ...sums },
    );
  };
  /** The same, outside of the contract. */
  const here = (from: number, until: number, running?: ReadonlyMap<string, Uint8Array>) =>
    alliance.evaluator.evaluatePart({
      plan: alliance.planOf(job),
      cells: cells(),
      epochId: EPOCH,
      batches: batches.slice(from, until),
      running,
      last: false,
    });
  const hashesOf = (blobs: ReadonlyMap<string, Uint8Array>): Record<string, string> =>
    Object.fromEntries([...blobs].map(([cell, blob]) => [cell, blobHash(blob)]));

  it('gives the same bytes in several transactions, however it is cut, as at once', async () => {
    expect(batches.length).toBeGreaterThanOrEqual(4);
    const end = batches.length;
    const whole = await alliance.evaluator.evaluate({
      plan: alliance.planOf(job),
      cells: cells(),
      epochId: EPOCH,
      batches,
    });

    let running = await here(0, 1);
    expect(await evaluate(0, 1)).toEqual({ jobId: 's-1', partials: {}, running: hashesOf(running) });
    const before = running;
    running = await here(1, end - 1, before);
    expect((await evaluate(1, end - 1, before)).running).toEqual(hashesOf(running));
    // The same once more is no change.
    expect((await evaluate(1, end - 1, before)).running).toEqual(hashesOf(running));
    expect((await evaluate(end - 1, end, running)).partials).toEqual(hashesOf(whole));

    const two = await here(0, 2);
    await evaluate(0, 2);
    expect((await evaluate(2, end, two)).partials).toEqual(hashesOf(whole));
    expect((await evaluate(0, end)).partials).toEqual(hashesOf(whole));
  });

  it('goes on only from the sum that is on the ledger, of the same cell', async () => {
    job = await alliance.submit('s-2', byType);
    const running = await here(0, 1);
    await evaluate(0, 1);
    const [first, second] = cells();
    const end = batches.length;
    await expect(evaluate(1, end)).rejects.toThrow('BLOB_MISSING');
    await expect(evaluate(2, end, running)).rejects.toThrow('NOT_FOUND: The cell');
    const other = await here(1, 2);
    await expect(evaluate(1, end, other)).rejects.toThrow('HASH_MISMATCH');
    const swapped = new Map([[first!, running.get(second!)!]]);
    await expect(evaluate(1, end, swapped, [first!])).rejects.toThrow('HASH_MISMATCH');
    await expect(evaluate(1, 1)).rejects.toThrow('BAD_REQUEST');
    await expect(evaluate(0, end + 1)).rejects.toThrow('BAD_REQUEST');
  });
});
