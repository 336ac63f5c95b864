import { setImmediate } from 'node:timers/promises';
import type * as WorkerThreads from 'node:worker_threads';
import { decodeBlob, encodeBlob, type BlobKind } from '../bytes/index.js';
import { parameterSet } from '../params/index.js';
import { plan } from '../plan/index.js';
import { parseSchema } from '../schema/index.js';
import { generateLocalKeys, LocalDecryptor } from '../seal/index.js';
import { Evaluator } from './evaluator.js';
import { EvaluatorPool } from './pool.js';

// Every worker thread of this file, so that a test can kill one as the system would.
const mockStarted: WorkerThreads.Worker[] = [];
jest.mock('node:worker_threads', () => {
  const threads = jest.requireActual<typeof WorkerThreads>('node:worker_threads');
  class Recorded extends threads.Worker {
    constructor(...args: ConstructorParameters<typeof threads.Worker>) {
      super(...args);
      mockStarted.push(this);
    }
  }
  return { ...threads, Worker: Recorded };
});

const set = parameterSet('toy');
const epochId = 'e';
const schema = parseSchema({
  name: 'test',
  version: '1',
  variables: [
    { name: 'X', kind: 'numeric', minimum: -1, maximum: 1 },
    { name: 'G', kind: 'boolean' },
  ],
});
const BATCHES = 7;
const made = plan(
  { version: 1, statistics: [{ id: 'x', kind: 'variance', variable: 'X', by: ['G'] }] },
  [schema],
  set,
  { holders: 1, threshold: 1, institutions: 1, batches: BATCHES },
);
const cells = made.cells.map((cell) => cell.id);
const column = (value: number) => new Float64Array(set.slots).fill(value);
const plainBatch = (i: number) =>
  new Map([
    ['X', column(i / 10)],
    ['G=true', column(i % 2)],
    ['G=false', column(1 - (i % 2))],
  ]);
const plainBatches = Array.from({ length: BATCHES }, (_, i) => plainBatch(i));
const codeOf = (error: unknown) => (error as { code?: string }).code;
const failsWith = (code: string) => expect.objectContaining({ name: 'FheError', code });

let keys: Awaited<ReturnType<typeof generateLocalKeys>>;
let pool: EvaluatorPool;
let decryptor: LocalDecryptor;
const blob = (kind: BlobKind, body: Uint8Array, epoch = epochId) =>
  encodeBlob({ kind, parameterSetId: set.id, epochId: epoch }, body);
const first = (ciphertext: Uint8Array) =>
  decryptor.decrypt(decodeBlob(ciphertext, { kind: 'ciphertext', parameterSetId: set.id, epochId }))[0]!;

async function encryptAll() {
  const batches = [];
  for await (const batch of pool.encryptBatches(epochId, plainBatches)) batches.push(batch);
  return batches;
}

beforeAll(async () => {
  keys = await generateLocalKeys(set);
  decryptor = await LocalDecryptor.create(set, keys.secretKey);
  pool = await EvaluatorPool.create(set, { workers: 3 });
  await pool.loadPublicKey(epochId, blob('publicKey', keys.publicKey));
  await pool.loadRelinKeys(epochId, blob('relinKeys', keys.relinKeys));
});
afterAll(async () => {
  decryptor[Symbol.dispose]();
  await pool[Symbol.asyncDispose]();
});

test('columns and batches come back in their order', async () => {
  const values = Array.from({ length: 20 }, (_, i) => i / 20);
  const blobs = await pool.encryptColumns(epochId, values.map(column));
  blobs.forEach((ciphertext, i) => expect(first(ciphertext)).toBeCloseTo(values[i]!, 8));
  const batches = await encryptAll();
  expect(batches.map((batch) => [...batch.keys()])).toEqual(plainBatches.map((batch) => [...batch.keys()]));
  batches.forEach((batch, i) => expect(first(batch.get('X')!)).toBeCloseTo(i / 10, 8));
});

test('evaluates to the bytes of a single evaluator, for one batch and for many', async () => {
  const batches = await encryptAll();
  await using single = await Evaluator.create(set);
  await single.loadRelinKeys(epochId, blob('relinKeys', keys.relinKeys));
  for (const part of [batches, batches.slice(0, 1)]) {
    const request = { plan: made, cells, epochId, batches: part };
    const [one, many] = [await single.evaluate(request), await pool.evaluate(request)];
    expect([...many.keys()]).toEqual(cells);
    for (const id of cells) expect(Buffer.compare(one.get(id)!, many.get(id)!)).toBe(0);
  }
  const [a, b] = batches.map((batch) => batch.get('X')!);
  expect(Buffer.compare(await pool.add(epochId, [a!, b!]), await single.add(epochId, [a!, b!]))).toBe(0);
});

test('a stream of batches may be encrypted by the pool that evaluates it', async () => {
  const partials = await pool.evaluate({
    plan: made,
    cells,
    epochId,
    batches: pool.encryptBatches(epochId, plainBatches),
  });
  const sums = cells.map((id) => [
    id,
    decryptor
      .decrypt(decodeBlob(partials.get(id)!, { kind: 'ciphertext', parameterSetId: set.id, epochId }))
      .reduce((sum, value) => sum + value, 0) / set.slots,
  ]);
  expect(Object.fromEntries(sums)).toEqual({
    'G=true': expect.closeTo(3, 6),
    'G=false': expect.closeTo(4, 6),
    'G=true*X': expect.closeTo(0.1 + 0.3 + 0.5, 6),
    'G=false*X': expect.closeTo(0.2 + 0.4 + 0.6, 6),
    'G=true*X*X': expect.closeTo(0.01 + 0.09 + 0.25, 6),
    'G=false*X*X': expect.closeTo(0.04 + 0.16 + 0.36, 6),
  });
});

test('many tasks at once each get their own results, and a bad one fails alone', async () => {
  const batches = await encryptAll();
  const bad = batches.map((batch, i) => (i === 4 ? new Map([...batch, ['X', new Uint8Array(5)]]) : batch));
  const request = { plan: made, cells, epochId, batches };
  const results = await Promise.allSettled([
    pool.evaluate(request),
    pool.evaluate({ ...request, batches: bad }),
    pool.encryptColumns(epochId, [column(0.5), column(2), column(0.5)]),
    pool.evaluate({ ...request, batches: [] }),
    pool.encryptColumns('other', [column(0.5)]),
    pool.encryptColumns(epochId, [column(0.25)]),
    pool.evaluate(request),
  ]);
  expect(results.map((result) => (result.status === 'fulfilled' ? 'ok' : codeOf(result.reason)))).toEqual([
    'ok',
    'BLOB_MALFORMED',
    'ARGUMENT_INVALID',
    'ARGUMENT_INVALID',
    'KEY_MISSING',
    'ok',
    'ok',
  ]);
});

test('reads a stream of batches only as far ahead as the workers need, and ends it when the caller leaves', async () => {
  let read = 0;
  let closed = false;
  function* endless() {
    try {
      for (;;) yield plainBatch(++read % 2);
    } finally {
      closed = true;
    }
  }
  let taken = 0;
  for await (const batch of pool.encryptBatches(epochId, endless())) {
    expect(batch.size).toBe(3);
    // Two batches of three columns each keep three workers busy, and one has been taken.
    expect(read - taken).toBeLessThanOrEqual(3);
    if (++taken === 6) break;
  }
  expect(closed).toBe(true);
  expect(read).toBeLessThanOrEqual(9);
});

test('cancelled tasks end at once, whether they wait, run or read a stream that gives nothing', async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const batches = await encryptAll();
  let stuck: () => void = () => undefined;
  const isStuck = new Promise<void>((resolve) => (stuck = resolve));
  async function* never() {
    yield batches[0]!;
    stuck();
    await new Promise(() => undefined);
  }
  async function* neverPlain() {
    yield plainBatch(0);
    await new Promise(() => undefined);
  }
  const consume = async () => {
    for await (const batch of pool.encryptBatches(epochId, neverPlain(), { signal }))
      expect(batch.size).toBe(3);
  };
  const tasks = [
    pool.evaluate({ plan: made, cells, epochId, batches: never() }, { signal }),
    pool.encryptColumns(
      epochId,
      Array.from({ length: 300 }, () => column(0)),
      { signal },
    ),
    consume(),
    pool.add(epochId, [batches[0]!.get('X')!], { signal: AbortSignal.abort() }),
  ];
  await isStuck;
  controller.abort();
  const results = await Promise.allSettled(tasks);
  expect(results.map((result) => result.status === 'rejected' && codeOf(result.reason))).toEqual(
    tasks.map(() => 'CANCELLED'),
  );
  await expect(pool.encryptColumns(epochId, [column(0)])).resolves.toHaveLength(1);
});

test('a worker that dies fails its task alone, and another takes its place with its keys', async () => {
  const batches = await encryptAll();
  const before = mockStarted.length;
  const alive = mockStarted.filter((worker) => worker.threadId > 0).slice(-3);
  let killed: Promise<unknown> = Promise.resolve();
  async function* killing() {
    for (const [i, batch] of batches.entries()) {
      if (i === 3) await (killed = Promise.all(alive.map((worker) => worker.terminate())));
      yield batch;
    }
  }
  const request = { plan: made, cells, epochId, batches };
  await expect(pool.evaluate({ ...request, batches: killing() })).rejects.toEqual(failsWith('WORKER_FAILED'));
  await killed;
  // Asked at once, while the new workers are being started.
  const [partials, blobs] = await Promise.all([
    pool.evaluate(request),
    pool.encryptColumns(epochId, [column(0.5), column(0.25)]),
  ]);
  expect(partials.size).toBe(cells.length);
  expect(blobs.map(first).map((value) => value.toFixed(6))).toEqual(['0.500000', '0.250000']);
  expect(mockStarted.length).toBe(before + 3);
});

test('a worker that dies while it is idle is replaced before the next task', async () => {
  for (const worker of mockStarted.filter((candidate) => candidate.threadId > 0)) await worker.terminate();
  await expect(pool.encryptColumns(epochId, [column(0)])).resolves.toHaveLength(1);
});

test('a worker that dies while it starts leaves its task to the others', async () => {
  for (const worker of mockStarted.filter((candidate) => candidate.threadId > 0)) await worker.terminate();
  const before = mockStarted.length;
  const task = pool.encryptColumns(epochId, [column(0)]);
  while (mockStarted.length === before) await setImmediate();
  await mockStarted[before]!.terminate();
  await expect(task).resolves.toHaveLength(1);
});

test('a refused key is not kept, and an impossible pool is refused', async () => {
  await expect(pool.loadPublicKey('f', blob('publicKey', new Uint8Array(9), 'f'))).rejects.toEqual(
    failsWith('PUBLIC_KEY_MALFORMED'),
  );
  await expect(pool.encryptColumns('f', [column(0)])).rejects.toEqual(failsWith('KEY_MISSING'));
  await expect(EvaluatorPool.create(set, { workers: 0 })).rejects.toEqual(failsWith('ARGUMENT_INVALID'));
});

test('after disposal tasks end with DISPOSED', async () => {
  const other = await EvaluatorPool.create(set, { workers: 1 });
  const running = other.loadPublicKey(epochId, blob('publicKey', keys.publicKey)).catch(codeOf);
  await other[Symbol.asyncDispose]();
  expect(['DISPOSED', undefined]).toContain(await running);
  await expect(other.encryptColumns(epochId, [column(0)])).rejects.toEqual(failsWith('DISPOSED'));
});
