/**
 * Release.
 *
 * A result is one number: the sum over all slots, which is one coefficient of the encrypted polynomial. Each holder of
 * a committee gives a share of it, a few words, with flooding noise so that the share tells nothing of its key. From t
 * shares the receiver computes the sum, and nothing else of what is encrypted.
 *
 * Run: node examples/fhe/4_release.ts [parameter set]
 */
import assert from 'node:assert/strict';
import {
  cellValue,
  combineShares,
  decodeBlob,
  Evaluator,
  FheError,
  packColumns,
  parameterSet,
  parseAnalysisQuery,
  parseSchema,
  plan,
  type PlanCell,
  releaseShare,
  roundedCount,
  sumOfC0,
} from '@strokeshare/fhe';
import { holdCeremony } from './ceremony.ts';

const set = parameterSet(process.argv[2] ?? 'standard');
const { epochId, publicKey, relinKeys, holders } = await holdCeremony(set, ['A', 'B', 'C'], 2);

const schema = parseSchema({
  name: 'Stroke register',
  version: '1',
  variables: [
    { name: 'AGE', kind: 'numeric', minimum: 16, maximum: 99 },
    { name: 'RSBP', kind: 'numeric', minimum: 70, maximum: 295 },
  ],
});
const query = parseAnalysisQuery({
  version: 1,
  statistics: [{ id: 'r', kind: 'correlation', variables: ['AGE', 'RSBP'] }],
});
// Two hospitals with made-up patients: pressure rises with age, and scatters.
const hospitals = [300, 200].map((count) =>
  Array.from({ length: count }, (_, i) => {
    const AGE = 40 + ((i * 7) % 50);
    return { AGE, RSBP: 100 + AGE / 2 + ((i * 13) % 40) };
  }),
);

const evaluator = await Evaluator.create(set);
await evaluator.loadPublicKey(epochId, publicKey);
await evaluator.loadRelinKeys(epochId, relinKeys);
const batches = hospitals.map((patients) => packColumns(schema, patients, set).batches);
const made = plan(query, [schema], set, {
  holders: holders.length,
  threshold: 2,
  institutions: hospitals.length,
  batches: batches.flat().length,
});

// Every hospital encrypts its columns and evaluates the cells on its own batches; the partial results are added.
const cells = made.cells.map(({ id }) => id);
const partials: Map<string, Uint8Array>[] = [];
for (const own of batches) {
  const encrypted: Map<string, Uint8Array>[] = [];
  for (const { columns } of own) {
    const blobs = await evaluator.encryptColumns(epochId, [...columns.values()]);
    encrypted.push(new Map([...columns.keys()].map((name, i) => [name, blobs[i] ?? new Uint8Array()])));
  }
  partials.push(await evaluator.evaluate({ plan: made, cells, epochId, batches: encrypted }));
}
const sums = new Map<string, Uint8Array>();
for (const id of cells)
  sums.set(
    id,
    await evaluator.add(
      epochId,
      partials.map((partial) => partial.get(id) ?? new Uint8Array()),
    ),
  );
await evaluator[Symbol.asyncDispose]();

/** The released coefficient: the committee's shares, added to what everybody can compute. */
function released(cell: PlanCell, committee: number[]): bigint {
  const body = decodeBlob(sums.get(cell.id) ?? new Uint8Array(), {
    kind: 'ciphertext',
    parameterSetId: set.id,
    epochId,
  });
  const { coefficient = 0 } = cell;
  const shares = new Map(
    holders
      .filter(({ index }) => committee.includes(index))
      .map((holder) => [
        holder.index,
        releaseShare(holder, { ciphertext: body, committee, sigma: BigInt(cell.sigma), coefficient }),
      ]),
  );
  return combineShares(set, { c0: sumOfC0(body, set, coefficient), shares });
}

const scaleOf = ({ scale }: PlanCell) => ({
  numerator: BigInt(scale.numerator),
  denominator: BigInt(scale.denominator),
});
const values = new Map<string, number>();
for (const cell of made.cells) {
  const residue = released(cell, [1, 3]);
  values.set(cell.id, cellValue(residue, scaleOf(cell), set.slots));
  if (cell.kind === 'count')
    console.log(`count ${cell.id}: ${roundedCount(residue, scaleOf(cell), set.slots)} patients, exact`);
}

// Holders 2 and 3 release the same within the stated error; one holder alone is refused.
const [, second] = made.cells;
assert.ok(second);
const again = cellValue(released(second, [2, 3]), scaleOf(second), set.slots);
assert.ok(Math.abs(again - (values.get(second.id) ?? 0)) < 20 * Number(second.errorDeviation));
assert.throws(
  () => released(second, [2]),
  (error) => error instanceof FheError && error.code === 'COMMITTEE_INVALID',
);

// From sums of scaled columns to statistics.
const row = made.statistics[0]?.rows[0];
assert.ok(row && 'product' in row);
const at = (id: string): number => values.get(id) ?? Number.NaN;
const n = Math.round(at(row.count));
const covariance = at(row.product) - (at(row.sum) * at(row.otherSum)) / n;
const correlation =
  covariance /
  Math.sqrt((at(row.squares) - at(row.sum) ** 2 / n) * (at(row.otherSquares) - at(row.otherSum) ** 2 / n));

const all = hospitals.flat();
const mean = (name: 'AGE' | 'RSBP'): number =>
  all.reduce((sum, patient) => sum + patient[name], 0) / all.length;
const [meanAge, meanPressure] = [mean('AGE'), mean('RSBP')];
const moment = (f: (age: number, pressure: number) => number): number =>
  all.reduce((sum, { AGE, RSBP }) => sum + f(AGE - meanAge, RSBP - meanPressure), 0);
const plain = moment((x, y) => x * y) / Math.sqrt(moment((x) => x * x) * moment((_, y) => y * y));
console.log(
  `correlation of age and pressure: ${correlation.toFixed(6)} released, ${plain.toFixed(6)} in plain`,
);
assert.equal(n, all.length);
assert.ok(Math.abs(correlation - plain) < 1e-5);
for (const holder of holders) holder[Symbol.dispose]();
