import {
  type ColumnBatch,
  Evaluator,
  type EvaluatorPool,
  decodeBlob,
  type PackedColumn,
  type ParameterSet,
  plan,
  SealContext,
} from '@strokeshare/fhe';
import { row, type BenchRow } from '../../report.js';
import { type EpochKeys } from './keys.js';
import { Job } from './ours.js';
import { type PeerMissing, TenSeal } from './peer.js';
import { alternate } from './rounds.js';
import { schema } from './table.js';

const ROUNDS = 15;
/** Batches of which the cost of one product is the mean. */
const BATCHES = 24;

/**
 * Single operations of ours beside TenSEAL's, in milliseconds: the quickest round of each, since what else the machine
 * does can only add to it; and sizes.
 */
export async function operations(
  set: ParameterSet,
  pool: EvaluatorPool,
  keys: EpochKeys,
  [batch]: readonly ColumnBatch[],
  csvBytesPerValue: number,
  peer: TenSeal | PeerMissing,
  progress: (line: string) => void,
): Promise<BenchRow[]> {
  const x = batch?.columns.get('AGE');
  const y = batch?.columns.get('RSBP');
  if (!x || !y) throw new Error('There is no batch to measure with.');
  const { epochId } = keys;
  const job = new Job(pool, keys);
  const context = await SealContext.for(set);
  await using single = await Evaluator.create(set);
  await single.loadPublicKey(epochId, keys.publicKey);
  await single.loadRelinKeys(epochId, keys.relinKeys);
  const [first = new Uint8Array(), second = new Uint8Array()] = await single.encryptColumns(epochId, [x, y]);
  const body = (blob: Uint8Array): Uint8Array =>
    decodeBlob(blob, { kind: 'ciphertext', parameterSetId: set.id, epochId });
  const made = plan(
    { version: 1, statistics: [{ id: 'v', kind: 'variance', variable: 'AGE' }] },
    [schema],
    set,
    { holders: 5, threshold: 3, institutions: 1, batches: BATCHES },
  );
  const cell = made.cells.find(({ id }) => id === 'AGE*AGE');
  if (!cell) throw new Error('There is no product to measure with.');
  const evaluate = (count: number): Promise<Map<string, Uint8Array>> =>
    single.evaluate({
      plan: made,
      cells: [cell.id],
      epochId,
      batches: Array.from({ length: count }, () => new Map([['AGE', first]])),
    });
  const product = (await evaluate(1)).get(cell.id) ?? new Uint8Array();
  const relinKeysBody = decodeBlob(keys.relinKeys, { kind: 'relinKeys', parameterSetId: set.id, epochId });
  using relinKeys = context.loadRelinKeys(relinKeysBody);
  using a = context.loadCiphertext(body(first));
  using b = context.loadCiphertext(body(second));

  const rows: BenchRow[] = [];
  const name = peer instanceof TenSeal ? 'TenSEAL' : peer.reason;
  const measure = async (
    what: string,
    theirs: string | undefined,
    ours: () => unknown,
    times = 1,
  ): Promise<void> => {
    progress(what);
    const seconds = await alternate(
      ROUNDS,
      async () => {
        const start = performance.now();
        await ours();
        return (performance.now() - start) / 1000 / times;
      },
      peer instanceof TenSeal && theirs !== undefined
        ? async () => (await peer.operation(theirs)).seconds
        : undefined,
    );
    rows.push(
      row(
        what,
        'ms',
        1000 * Math.min(...seconds.ours),
        seconds.theirs && 1000 * Math.min(...seconds.theirs),
        theirs === undefined ? 'no peer' : name,
      ),
    );
  };

  await measure('encode and encrypt, one thread', 'encrypt', () => single.encryptColumns(epochId, [x]));
  await measure('add', 'add', () => {
    context.evaluator.addInPlace(a, b);
  });
  await measure('multiply, relinearise, rescale', 'multiply', () => {
    using result = context.evaluator.multiply(a, b);
    context.evaluator.relinearizeInPlace(result, relinKeys);
    context.evaluator.rescaleInPlace(result);
  });
  await measure(
    `read, square and add up one of ${BATCHES} batches`,
    'product of stored',
    () => evaluate(BATCHES),
    BATCHES,
  );
  await measure('sum of all slots, opened', 'sum of slots', () => job.release(cell, product));
  const many = 2 * pool.workers;
  const columns = Array.from({ length: many }, () => x);
  await measure('encrypt all cores', 'encrypt', () => pool.encryptColumns(epochId, columns), many);
  const pairs = columns.map((): PackedColumn => ({ parts: [x, y] }));
  await measure(
    'encrypt all cores, two columns in one',
    'encrypt',
    () => pool.encryptColumns(epochId, pairs),
    2 * many,
  );

  const theirs = peer instanceof TenSeal ? ((await peer.operation('encrypt')).bytes ?? null) : null;
  const [packed = new Uint8Array()] = await pool.encryptColumns(epochId, [{ parts: [x, y], primes: 2 }]);
  const perValue = first.length / set.slots;
  const theirsPerValue = theirs === null ? null : theirs / set.slots;
  return [
    ...rows,
    row('bytes at rest per value', 'B', perValue, theirsPerValue, name),
    row('bytes at rest per value, two in one', 'B', perValue / 2, theirsPerValue, name),
    row('the same at two primes', 'B', packed.length / (2 * set.slots), theirsPerValue, name),
    row('bytes at rest per value, plain', 'B', perValue, csvBytesPerValue, 'the CSV file'),
  ];
}
