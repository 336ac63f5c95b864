import fc from 'fast-check';
import { blobHeaderLength, decodeBlob, encodeBlob, type BlobKind } from '../bytes/index.js';
import { type ColumnBatch, packColumns, type PatientRecord } from '../columns/index.js';
import { parameterSet, type ParameterSetName } from '../params/index.js';
import { plan, type Plan } from '../plan/index.js';
import { type Query } from '../query/index.js';
import { parseSchema } from '../schema/index.js';
import { generateLocalKeys, LocalDecryptor } from '../seal/index.js';
import { Evaluator } from './evaluator.js';
import { workOf } from './work.js';

const schema = parseSchema({
  name: 'test',
  version: '1',
  variables: [
    { name: 'AGE', kind: 'numeric', minimum: 16, maximum: 99 },
    { name: 'RSBP', kind: 'numeric', minimum: 70, maximum: 295, missing: true },
    { name: 'SEX', kind: 'categorical', levels: ['F', 'M'].map((code) => ({ code, label: code })) },
    { name: 'DEAD', kind: 'boolean' },
  ],
});
const query: Query = {
  version: 1,
  statistics: [
    { id: 'n', kind: 'count' },
    { id: 'table', kind: 'crosstab', rows: 'SEX', columns: 'DEAD' },
    { id: 'age', kind: 'variance', variable: 'AGE', by: ['SEX'] },
    { id: 'sbp', kind: 'variance', variable: 'RSBP', by: ['SEX', 'DEAD'] },
  ],
};
const epochId = 'epoch-1';

/** A world with one ordinary key: an evaluator, and a decryption for the test alone. */
async function world(name: ParameterSetName) {
  const set = parameterSet(name);
  const keys = await generateLocalKeys(set);
  const blob = (kind: BlobKind, body: Uint8Array, epoch = epochId) =>
    encodeBlob({ kind, parameterSetId: set.id, epochId: epoch }, body);
  const evaluator = await Evaluator.create(set);
  await evaluator.loadPublicKey(epochId, blob('publicKey', keys.publicKey));
  await evaluator.loadRelinKeys(epochId, blob('relinKeys', keys.relinKeys));
  const decryptor = await LocalDecryptor.create(set, keys.secretKey);
  return {
    set,
    keys,
    blob,
    evaluator,
    encrypt: async ({ columns }: ColumnBatch) => {
      const names = [...columns.keys()];
      const blobs = await evaluator.encryptColumns(epochId, [...columns.values()]);
      return new Map(names.map((column, i) => [column, blobs[i]!]));
    },
    sum: (ciphertext: Uint8Array) =>
      decryptor
        .decrypt(decodeBlob(ciphertext, { kind: 'ciphertext', parameterSetId: set.id, epochId }))
        .reduce((total, value) => total + value, 0),
    async [Symbol.asyncDispose]() {
      decryptor[Symbol.dispose]();
      await evaluator[Symbol.asyncDispose]();
    },
  };
}

/** What a cell must be: the sum over all patients of the product of its factors. */
function plainSum(batches: readonly ColumnBatch[], factors: readonly string[]): number {
  let total = 0;
  for (const { columns, rows } of batches)
    for (let row = 0; row < rows; row++)
      total += factors.reduce((product, name) => product * columns.get(name)![row]!, 1);
  return total;
}

function patients(count: number, seed: number): PatientRecord[] {
  const arbitrary = fc.record({
    AGE: fc.integer({ min: 16, max: 99 }),
    RSBP: fc.option(fc.integer({ min: 70, max: 295 })),
    SEX: fc.constantFrom('F', 'M'),
    DEAD: fc.boolean(),
  });
  return fc.sample(arbitrary, { numRuns: count, seed });
}

function planFor(name: ParameterSetName, institutions: number, batches: number): Plan {
  return plan(query, [schema], parameterSet(name), { holders: 1, threshold: 1, institutions, batches });
}

const rejectsWith = (code: string) => expect.objectContaining({ name: 'FheError', code });

describe('small set', () => {
  let toy: Awaited<ReturnType<typeof world>>;
  beforeAll(async () => {
    toy = await world('toy');
  });
  afterAll(() => toy[Symbol.asyncDispose]());

  const encryptAll = async (records: PatientRecord[]) => {
    const { batches } = packColumns(schema, records, toy.set);
    const blobs = [];
    for (const batch of batches) blobs.push(await toy.encrypt(batch));
    return { batches, blobs };
  };

  test('cells of depth 0, 1 and 2 over several batches and institutions are the plain sums', async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const institutions = [
      await encryptAll(patients(1200, seed)),
      await encryptAll(patients(300, seed + 1)),
      await encryptAll(patients(513, seed + 2)),
    ];
    const made = planFor('toy', 3, 3 + 1 + 2);
    const cells = made.cells.map((cell) => cell.id);
    const partials = [];
    for (const { blobs } of institutions)
      partials.push(await toy.evaluator.evaluate({ plan: made, cells, epochId, batches: blobs }));
    expect(new Set(made.cells.map((cell) => cell.factors.length))).toEqual(new Set([1, 2, 3, 4]));
    for (const cell of made.cells) {
      const sum = toy.sum(
        await toy.evaluator.add(
          epochId,
          partials.map((partial) => partial.get(cell.id)!),
        ),
      );
      const plain = plainSum(
        institutions.flatMap(({ batches }) => batches),
        cell.factors,
      );
      expect({ seed, cell: cell.id, error: Math.abs(sum - plain) < 1e-8 }).toEqual({
        seed,
        cell: cell.id,
        error: true,
      });
    }
  });

  test('two workers give the same bytes, whatever the order of the batches or the choice of cells', async () => {
    const { blobs } = await encryptAll(patients(1300, 7));
    const made = planFor('toy', 1, 3);
    const cells = made.cells.map((cell) => cell.id);
    await using other = await Evaluator.create(toy.set);
    await other.loadRelinKeys(epochId, toy.blob('relinKeys', toy.keys.relinKeys));
    const one = await toy.evaluator.evaluate({ plan: made, cells, epochId, batches: blobs });
    const reordered = { plan: made, cells: cells.toReversed(), epochId, batches: blobs.toReversed() };
    const two = await other.evaluate(reordered);
    expect([...two.keys()]).toEqual(cells.toReversed());
    for (const id of cells) expect(Buffer.compare(one.get(id)!, two.get(id)!)).toBe(0);
    const [last] = cells.slice(-1);
    const alone = await other.evaluate({ plan: made, cells: [last!], epochId, batches: blobs });
    expect(Buffer.compare(alone.get(last!)!, one.get(last!)!)).toBe(0);
  });

  test('parts that carry running sums give the same bytes, and no sum of another cell or plan is carried on', async () => {
    const { blobs } = await encryptAll(patients(1900, 17));
    const made = planFor('toy', 1, blobs.length);
    const cells = made.cells.map((cell) => cell.id);
    const request = { plan: made, cells, epochId };
    const whole = await toy.evaluator.evaluate({ ...request, batches: blobs });
    let running: Map<string, Uint8Array> | undefined;
    for (const batch of blobs.slice(0, -1))
      running = await toy.evaluator.evaluatePart({ ...request, batches: [batch], running, last: false });
    const last = { ...request, batches: blobs.slice(-1), last: true };
    const partials = await toy.evaluator.evaluatePart({ ...last, running });
    for (const id of cells) expect(Buffer.compare(partials.get(id)!, whole.get(id)!)).toBe(0);

    const product = made.cells.find(({ operands }) => operands.length === 2)!.id;
    const malformed = expect.objectContaining({ code: 'CIPHERTEXT_MALFORMED' });
    const bad = [running!.get('_row')!, whole.get(product)!];
    for (const blob of bad)
      await expect(
        toy.evaluator.evaluatePart({ ...last, cells: [product], running: new Map([[product, blob]]) }),
      ).rejects.toEqual(malformed);
    await expect(toy.evaluator.evaluatePart({ ...last, running: new Map() })).rejects.toMatchObject({
      code: 'ARGUMENT_INVALID',
    });
  });

  test('a partial has the release level and exact scale that the plan states', async () => {
    const { blobs } = await encryptAll(patients(20, 3));
    const made = planFor('toy', 1, 1);
    const partials = await toy.evaluator.evaluate({
      plan: made,
      cells: made.cells.map((cell) => cell.id),
      epochId,
      batches: blobs,
    });
    for (const cell of made.cells) {
      const body = partials.get(cell.id)!.subarray(blobHeaderLength);
      const view = new DataView(body.buffer, body.byteOffset);
      expect(Number(view.getBigUint64(49, true))).toBe(2);
      expect(Number(view.getBigUint64(65, true))).toBe(cell.primes);
      const exact = Number(BigInt(cell.scale.numerator) / BigInt(cell.scale.denominator));
      expect(view.getFloat64(73, true) / exact).toBeCloseTo(1, 14);
    }
  });

  test('batches may come one after another from a stream, with the columns that are needed and others', async () => {
    const { batches, blobs } = await encryptAll(patients(600, 11));
    async function* stream() {
      for (const batch of blobs) yield Promise.resolve(batch);
    }
    const made = planFor('toy', 1, 2);
    const partials = await toy.evaluator.evaluate({
      plan: made,
      cells: ['_row'],
      epochId,
      batches: stream(),
    });
    expect(toy.sum(partials.get('_row')!)).toBeCloseTo(plainSum(batches, ['_row']), 8);
  });

  test('a bad blob fails its own task by its code, and no other', async () => {
    const { blobs } = await encryptAll(patients(10, 5));
    const [good] = blobs;
    const made = planFor('toy', 1, 1);
    const evaluate = (batch: ReadonlyMap<string, Uint8Array>) =>
      toy.evaluator.evaluate({ plan: made, cells: ['_row'], epochId, batches: [batch] });
    const row = good!.get('_row')!;
    const changed = (change: (bytes: Uint8Array) => Uint8Array | undefined) => {
      const copy = row.slice();
      return new Map([['_row', change(copy) ?? copy]]);
    };
    const word = (bytes: Uint8Array) => void bytes.fill(0xff, bytes.length - 8);
    const tasks = [
      evaluate(good!),
      evaluate(changed(word)),
      evaluate(changed((bytes) => bytes.subarray(0, bytes.length - 8))),
      evaluate(changed((bytes) => void bytes.set([9], 0))),
      evaluate(
        changed((bytes) =>
          encodeBlob(
            { kind: 'ciphertext', parameterSetId: toy.set.id, epochId: 'other' },
            bytes.subarray(blobHeaderLength),
          ),
        ),
      ),
      evaluate(
        changed((bytes) =>
          encodeBlob(
            { kind: 'ciphertext', parameterSetId: parameterSet('standard').id, epochId },
            bytes.subarray(blobHeaderLength),
          ),
        ),
      ),
      evaluate(new Map()),
      evaluate(good!),
    ];
    const results = await Promise.allSettled(tasks);
    expect(
      results.map((r) => (r.status === 'fulfilled' ? 'ok' : (r.reason as { code: string }).code)),
    ).toEqual([
      'ok',
      'CIPHERTEXT_MALFORMED',
      'CIPHERTEXT_MALFORMED',
      'BLOB_MALFORMED',
      'EPOCH_MISMATCH',
      'PARAMETER_SET_MISMATCH',
      'ARGUMENT_INVALID',
      'ok',
    ]);
  });

  test('mutated blobs are refused or evaluated, and never stop the worker', async () => {
    const { blobs } = await encryptAll(patients(10, 5));
    const row = blobs[0]!.get('_row')!;
    const made = planFor('toy', 1, 1);
    await fc.assert(
      fc.asyncProperty(fc.nat(400), fc.nat(255), async (at, value) => {
        const mutated = row.slice();
        mutated[at] = value;
        const same = mutated[at] === row[at];
        const result = await toy.evaluator
          .evaluate({ plan: made, cells: ['_row'], epochId, batches: [new Map([['_row', mutated]])] })
          .then(
            () => 'ok',
            (error: { code: string }) => error.code,
          );
        const codes = ['CIPHERTEXT_MALFORMED', 'BLOB_MALFORMED', 'EPOCH_MISMATCH', 'PARAMETER_SET_MISMATCH'];
        // A change inside the words may leave them below their primes: then it is another ciphertext.
        const words = blobHeaderLength + 113;
        expect(same || at >= words ? ['ok', ...codes] : codes).toContain(result);
      }),
    );
  });

  test('blobs that are given away give the same bytes, and are empty afterwards; what shares its memory is copied', async () => {
    const { blobs } = await encryptAll(patients(20, 6));
    const made = planFor('toy', 1, 1);
    const request = { plan: made, cells: ['_row'], epochId, batches: blobs };
    const kept = (await toy.evaluator.evaluate(request)).get('_row')!;
    const given = (await toy.evaluator.evaluate(request, { giveAway: true })).get('_row')!;
    expect(given).toEqual(kept);
    const { columns } = workOf(made, ['_row']);
    for (const blob of blobs)
      for (const [name, { length }] of blob)
        expect([name, length > 0]).toEqual([name, !columns.includes(name)]);
    const sum = await toy.evaluator.add(epochId, [kept, given]);
    const behind = Buffer.concat([Buffer.alloc(8), given]).subarray(8);
    await expect(toy.evaluator.add(epochId, [kept, behind], { giveAway: true })).resolves.toEqual(sum);
    expect([kept.length, behind.length]).toEqual([0, given.length]);
    await expect(toy.evaluator.add(epochId, [given, given], { giveAway: true })).resolves.toEqual(sum);
  });

  test('parts at different levels cannot be added, nor can keys of another epoch be used', async () => {
    const { blobs } = await encryptAll(patients(10, 5));
    const made = planFor('toy', 1, 1);
    const cells = ['_row', 'AGE*SEX=F'];
    const partials = await toy.evaluator.evaluate({ plan: made, cells, epochId, batches: blobs });
    await expect(toy.evaluator.add(epochId, [...partials.values()])).rejects.toEqual(
      rejectsWith('ARGUMENT_INVALID'),
    );
    await expect(toy.evaluator.add(epochId, [])).rejects.toEqual(rejectsWith('ARGUMENT_INVALID'));
    await expect(toy.evaluator.add('other', [...partials.values()])).rejects.toEqual(
      rejectsWith('EPOCH_MISMATCH'),
    );
    await expect(
      toy.evaluator.evaluate({ plan: made, cells, epochId: 'other', batches: blobs }),
    ).rejects.toEqual(rejectsWith('KEY_MISSING'));
    await expect(
      toy.evaluator.evaluate({ plan: planFor('standard', 1, 1), cells, epochId, batches: blobs }),
    ).rejects.toEqual(rejectsWith('PARAMETER_SET_MISMATCH'));
    await expect(
      toy.evaluator.evaluate({ plan: made, cells: ['nonsense'], epochId, batches: blobs }),
    ).rejects.toEqual(rejectsWith('ARGUMENT_INVALID'));
  });

  test('columns outside [-1, 1] or of another length are not encrypted', async () => {
    const column = new Float64Array(toy.set.slots);
    for (const bad of [column.slice(1), column.with(3, 1.5), column.with(3, Number.NaN)])
      await expect(toy.evaluator.encryptColumns(epochId, [bad])).rejects.toEqual(
        rejectsWith('ARGUMENT_INVALID'),
      );
  });

  test('a cancelled task ends at once, waiting or running, and the others go on', async () => {
    const { blobs } = await encryptAll(patients(600, 13));
    const made = planFor('toy', 1, 2);
    const cells = made.cells.map((cell) => cell.id);
    const [running, waiting, before] = [new AbortController(), new AbortController(), new AbortController()];
    async function* abortAfterFirst() {
      yield blobs[0]!;
      running.abort();
      yield blobs[1]!;
    }
    before.abort();
    const request = { plan: made, cells, epochId };
    const tasks = [
      toy.evaluator.evaluate({ ...request, batches: abortAfterFirst() }, { signal: running.signal }),
      toy.evaluator.evaluate({ ...request, batches: blobs }, { signal: waiting.signal }),
      toy.evaluator.evaluate({ ...request, batches: blobs }, { signal: before.signal }),
      toy.evaluator.evaluate({ ...request, batches: blobs }),
    ];
    waiting.abort();
    const results = await Promise.allSettled(tasks);
    expect(
      results.map((r) => (r.status === 'fulfilled' ? r.value.size : (r.reason as { code: string }).code)),
    ).toEqual(['CANCELLED', 'CANCELLED', 'CANCELLED', cells.length]);
  });

  test('a cancelled task whose batches never come does not hold up the others', async () => {
    const { blobs } = await encryptAll(patients(10, 17));
    const stuck = new AbortController();
    async function* never() {
      yield blobs[0]!;
      stuck.abort();
      await new Promise(() => undefined);
    }
    const request = { plan: planFor('toy', 1, 1), cells: ['_row'], epochId };
    const first = toy.evaluator.evaluate({ ...request, batches: never() }, { signal: stuck.signal });
    await expect(first).rejects.toEqual(rejectsWith('CANCELLED'));
    await expect(toy.evaluator.evaluate({ ...request, batches: blobs })).resolves.toBeInstanceOf(Map);
  });

  test('after disposal tasks end with DISPOSED', async () => {
    const evaluator = await Evaluator.create(toy.set);
    const waiting = evaluator.loadRelinKeys(epochId, toy.blob('relinKeys', toy.keys.relinKeys)).then(
      () => 'ok',
      (error: { code: string }) => error.code,
    );
    await evaluator[Symbol.asyncDispose]();
    expect(await waiting).toBe('DISPOSED');
    await expect(evaluator.add(epochId, [])).rejects.toEqual(rejectsWith('DISPOSED'));
  });
});
