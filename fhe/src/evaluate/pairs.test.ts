import { randomInt } from 'node:crypto';
import { epochId, runCeremony } from '../../test/ceremonyFixture.js';
import { blobHash, decodeBlob } from '../bytes/index.js';
import { type ColumnBatch, layOut, type Layout, packColumns } from '../columns/index.js';
import { parameterSet } from '../params/index.js';
import { plan } from '../plan/index.js';
import { parseAnalysisQuery } from '../query/index.js';
import { cellValue, combineShares, releaseShare, roundedCount, sumOfC0 } from '../release/index.js';
import { parseSchema } from '../schema/index.js';
import { EvaluatorPool } from './pool.js';

const set = parameterSet('toy');
const schema = parseSchema({
  name: 'test',
  version: '1',
  variables: [
    { name: 'X', kind: 'numeric', minimum: 0, maximum: 100 },
    { name: 'Y', kind: 'numeric', minimum: -5, maximum: 5, missing: true },
    { name: 'G', kind: 'boolean' },
    { name: 'T', kind: 'timeToEvent', time: 'DAYS', event: 'DIED', unit: 'd', grid: [30, 180] },
  ],
});
const query = parseAnalysisQuery({
  version: 1,
  statistics: [
    { id: 'r', kind: 'correlation', variables: ['X', 'Y'] },
    { id: 'byG', kind: 'correlation', variables: ['X', 'Y'], by: ['G'] },
    { id: 's', kind: 'survival', variable: 'T', by: ['G'] },
  ],
});
const layout: Layout = {
  pairs: [
    ['X', 'Y'],
    ['T:event@30', 'T:censored@30'],
    ['T:event@180', 'T:censored@180'],
  ],
  alone: ['X', 'Y'],
  linear: ['_row'],
};

function plainSum(batches: readonly ColumnBatch[], factors: readonly string[]): number {
  return batches
    .flatMap(({ rows, columns }) =>
      Array.from({ length: rows }, (_, row) =>
        factors.reduce((product, name) => product * columns.get(name)![row]!, 1),
      ),
    )
    .reduce((a, b) => a + b, 0);
}

test('committees release correlations and survival from pairs, within the stated error', async () => {
  const { publicKey, relinKeys, keys } = await runCeremony(set, 4, 3);
  await using pool = await EvaluatorPool.create(set, { workers: 2 });
  await pool.loadPublicKey(epochId, publicKey);
  await pool.loadRelinKeys(epochId, relinKeys);
  const records = Array.from({ length: 1400 }, () => ({
    X: randomInt(101),
    Y: randomInt(5) === 0 ? null : randomInt(11) - 5,
    G: randomInt(2) === 1,
    DAYS: randomInt(300),
    DIED: randomInt(2),
  }));
  const { batches } = packColumns(schema, records, set);
  const made = plan(
    query,
    [schema],
    set,
    { holders: 4, threshold: 3, institutions: 1, batches: batches.length },
    layout,
  );
  const encrypted = pool.encryptBatches(
    epochId,
    batches.map(({ columns }) => layOut(columns, layout, set)),
  );
  const cells = made.cells.map((cell) => cell.id);
  const partials = await pool.evaluate({ plan: made, cells, epochId, batches: encrypted });

  const committee = [1, 3, 4];
  const deviations: number[] = [];
  const counts: { cell: string; released: number; plain: number }[] = [];
  const hashes = new Map<string, Set<string | undefined>>();
  for (const cell of made.cells) {
    const partial = partials.get(cell.id)!;
    const ciphertext = decodeBlob(partial, { kind: 'ciphertext', parameterSetId: set.id, epochId });
    const coefficient = cell.coefficient ?? 0;
    const shares = new Map(
      committee.map((index) => [
        index,
        releaseShare(keys[index - 1]!, { ciphertext, committee, sigma: BigInt(cell.sigma), coefficient }),
      ]),
    );
    const residue = combineShares(set, { c0: sumOfC0(ciphertext, set, coefficient), shares });
    const scale = { numerator: BigInt(cell.scale.numerator), denominator: BigInt(cell.scale.denominator) };
    const plain = plainSum(batches, cell.factors);
    if (cell.kind === 'count')
      counts.push({ cell: cell.id, released: Number(roundedCount(residue, scale, set.slots)), plain });
    deviations.push((cellValue(residue, scale, set.slots) - plain) / Number(cell.errorDeviation));
    const hash = blobHash(partial);
    hashes.set(hash, (hashes.get(hash) ?? new Set()).add(cell.coefficient));
  }
  expect(counts).toHaveLength(13);
  for (const { cell, released, plain } of counts)
    expect({ cell, count: released }).toEqual({ cell, count: plain });
  // Two cells of one product are two coefficients of the same bytes.
  expect([...hashes.values()].filter((coefficients) => coefficients.size === 2)).toHaveLength(7);
  const chiSquare = deviations.reduce((sum, deviation) => sum + deviation ** 2, 0);
  expect(chiSquare / deviations.length).toBeGreaterThan(0.3);
  expect(chiSquare / deviations.length).toBeLessThan(2.6);
  for (const key of keys) key[Symbol.dispose]();
});
