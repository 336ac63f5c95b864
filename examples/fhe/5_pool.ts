/**
 * All cores.
 *
 * A pool has several worker threads, each with an instance of its own. It encrypts a stream of batches, reading no
 * further ahead than the workers need, and evaluates the encrypted batches as they come: neither all patients nor all
 * ciphertexts are ever in memory at once.
 *
 * Run: node examples/fhe/5_pool.ts [parameter set]
 */
import assert from 'node:assert/strict';
import {
  EvaluatorPool,
  FheError,
  layOut,
  packColumns,
  parameterSet,
  parseLayout,
  parseQuery,
  parseSchema,
  plan,
} from '@strokeshare/fhe';
import { holdCeremony } from './ceremony.ts';

const set = parameterSet(process.argv[2] ?? 'standard');
const { epochId, publicKey, relinKeys, holders } = await holdCeremony(set, ['A', 'B'], 2);
const pool = await EvaluatorPool.create(set, { workers: 2 });
await pool.loadPublicKey(epochId, publicKey);
await pool.loadRelinKeys(epochId, relinKeys);

const schema = parseSchema({
  name: 'Register',
  version: '1',
  variables: [
    { name: 'AGE', kind: 'numeric', minimum: 16, maximum: 99 },
    { name: 'RSBP', kind: 'numeric', minimum: 70, maximum: 295 },
    { name: 'DEAD', kind: 'boolean' },
  ],
});
const layout = parseLayout({ pairs: [['AGE', 'RSBP']], linear: ['_row'] });
const BATCHES = 6;

/** Batches one after another, as they would be read from a file. */
function* batches() {
  for (let i = 0; i < BATCHES; i++) {
    const patients = Array.from({ length: set.slots }, (_, j) => ({
      AGE: 16 + ((i + j) % 80),
      RSBP: 70 + ((3 * i + j) % 200),
      DEAD: j % 5 === 0,
    }));
    const [batch] = packColumns(schema, patients, set).batches;
    if (batch) yield layOut(batch.columns, layout, set);
  }
}

const made = plan(
  parseQuery({
    version: 1,
    statistics: [
      { id: 'age', kind: 'mean', variable: 'AGE', by: ['DEAD'] },
      { id: 'pressure', kind: 'mean', variable: 'RSBP', by: ['DEAD'] },
    ],
  }),
  [schema],
  set,
  { holders: holders.length, threshold: 2, institutions: 1, batches: BATCHES },
  layout,
);
const cells = made.cells.map(({ id }) => id);
const partials = await pool.evaluate({
  plan: made,
  cells,
  epochId,
  batches: pool.encryptBatches(epochId, batches()),
});
console.log(`${BATCHES} batches on ${pool.workers} workers: ${[...partials.keys()].join(', ')}`);
assert.deepEqual([...partials.keys()], cells);

// A task can be cancelled; the pool goes on.
const controller = new AbortController();
const cancelled = pool.encryptColumns(
  epochId,
  Array.from({ length: 50 }, () => new Float64Array(set.slots)),
  { signal: controller.signal },
);
controller.abort();
await assert.rejects(cancelled, (error) => error instanceof FheError && error.code === 'CANCELLED');
console.log('a cancelled task ended, and the pool goes on');
assert.equal((await pool.encryptColumns(epochId, [new Float64Array(set.slots)])).length, 1);
await pool[Symbol.asyncDispose]();
for (const holder of holders) holder[Symbol.dispose]();
