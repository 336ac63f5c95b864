import { type BlobKind, buildCiphertext, decodeBlob, encodeBlob, parseCiphertext } from '../bytes/index.js';
import { workOf } from '../evaluate/index.js';
import { FheError } from '../errors.js';
import { parameterSet } from '../params/index.js';
import { plan } from '../plan/index.js';
import { parseSchema } from '../schema/index.js';
import { generateLocalKeys, SealContext } from '../seal/index.js';
import { CipherEngine } from './engine.js';

const set = parameterSet('toy');
const schema = parseSchema({
  name: 'test',
  version: '1',
  variables: [
    { name: 'X', kind: 'numeric', minimum: -1, maximum: 1 },
    { name: 'G', kind: 'boolean' },
  ],
});
const made = plan(
  { version: 1, statistics: [{ id: 'x', kind: 'variance', variable: 'X', by: ['G'] }] },
  [schema],
  set,
  { holders: 1, threshold: 1, institutions: 1, batches: 2 },
);
const work = workOf(
  made,
  made.cells.map((cell) => cell.id),
);
const cells = work.cells.map((cell) => cell.id);
const go = () => undefined;

async function engineWithKeys(epochs: string[]) {
  const engine = await CipherEngine.create(set);
  const keys = await generateLocalKeys(set);
  const load = (epochId: string) => {
    const blob = (kind: BlobKind, body: Uint8Array) =>
      encodeBlob({ kind, parameterSetId: set.id, epochId }, body);
    engine.loadPublicKey(epochId, blob('publicKey', keys.publicKey));
    engine.loadRelinKeys(epochId, blob('relinKeys', keys.relinKeys));
  };
  epochs.forEach(load);
  return { engine, load };
}

const batchOf = (engine: CipherEngine) =>
  new Map(made.columns.map((name) => [name, engine.encrypt('e', [new Float64Array(set.slots).fill(0.5)])]));

test('leaves no object behind, whether evaluations end well, fail or are cancelled', async () => {
  const context = await SealContext.for(set);
  const before = context.liveHandles;
  const { engine } = await engineWithKeys(['e']);
  const withKeys = context.liveHandles;
  const batch = batchOf(engine);
  const lastColumn = made.columns.at(-1)!;
  const bad = new Map(batch).set(lastColumn, batch.get(lastColumn)!.slice(0, -8));
  let checks = 0;
  const cancelAt = (limit: number) => () => {
    if (++checks === limit) throw new FheError('CANCELLED', 'The task was cancelled.');
  };

  for (let round = 0; round < 3; round++) {
    engine.begin('e', work);
    engine.addBatch(batch, go);
    engine.addBatch(batch, go);
    expect(engine.finish(cells, go)).toHaveLength(made.cells.length);
    expect(context.liveHandles).toBe(withKeys);
    engine.add('e', [batch.get('X')!, batch.get('X')!], go);
    expect(() => engine.add('e', [batch.get('X')!, bad.get(lastColumn)!], go)).toThrow(FheError);
    engine.begin('e', work);
    engine.addBatch(batch, go);
    expect(() => engine.addBatch(bad, go)).toThrow(FheError);
    engine.reset();
    expect(context.liveHandles).toBe(withKeys);
  }
  for (const limit of [1, 3, 4, 6, 9]) {
    checks = 0;
    engine.begin('e', work);
    expect(() => {
      engine.addBatch(batch, cancelAt(limit));
      engine.addBatch(batch, cancelAt(limit));
    }).toThrow(expect.objectContaining({ code: 'CANCELLED' }));
    engine.reset();
    expect(context.liveHandles).toBe(withKeys);
  }
  engine[Symbol.dispose]();
  expect(context.liveHandles).toBe(before);
});

test('keeps the keys of the latest two epochs', async () => {
  const { engine, load } = await engineWithKeys(['e', 'f', 'g']);
  const column = new Float64Array(set.slots);
  expect(() => engine.encrypt('e', [column])).toThrow(expect.objectContaining({ code: 'KEY_MISSING' }));
  load('f');
  load('h');
  expect(() => engine.encrypt('g', [column])).toThrow(expect.objectContaining({ code: 'KEY_MISSING' }));
  expect(engine.encrypt('f', [column]).length).toBe(engine.encrypt('h', [column]).length);
  engine[Symbol.dispose]();
});

test('products need the relinearisation key, linear cells do not', async () => {
  const { engine } = await engineWithKeys(['e']);
  const linear = workOf(made, ['G=true']);
  expect(linear.columns).toEqual(['G=true']);
  expect(() => engine.begin('other', work)).toThrow(expect.objectContaining({ code: 'KEY_MISSING' }));
  expect(() => engine.begin('other', linear)).not.toThrow();
  engine[Symbol.dispose]();
});

test('adds partial results to the bytes that SEAL’s addition gives', async () => {
  const context = await SealContext.for(set);
  const { engine } = await engineWithKeys(['e']);
  const blobs = [0.25, -0.5, 1].map((value) =>
    engine.encrypt('e', [new Float64Array(set.slots).fill(value)]),
  );
  const bodyOf = (blob: Uint8Array) =>
    decodeBlob(blob, { kind: 'ciphertext', parameterSetId: set.id, epochId: 'e' });
  const [first, ...others] = blobs.map((blob) => context.loadCiphertext(bodyOf(blob)));
  for (const other of others) context.evaluator.addInPlace(first!, other);
  expect(Buffer.from(bodyOf(engine.add('e', blobs, go))).equals(first!.save())).toBe(true);

  // A ciphertext and its negative leave nothing that is encrypted.
  const { words, ...form } = parseCiphertext(bodyOf(blobs[0]!), set);
  const opposite = words.map((word, i) => {
    const prime = set.primes[Math.floor(i / set.polyModulusDegree) % form.primes]!;
    return word === 0n ? 0n : prime - word;
  });
  const body = buildCiphertext(set, { ...form, words: opposite });
  const negative = encodeBlob({ kind: 'ciphertext', parameterSetId: set.id, epochId: 'e' }, body);
  expect(() => engine.add('e', [blobs[0]!, negative], go)).toThrow('transparent');
  for (const ciphertext of [first!, ...others]) ciphertext[Symbol.dispose]();
  engine[Symbol.dispose]();
});
