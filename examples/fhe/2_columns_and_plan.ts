/**
 * Columns and plans.
 *
 * A data dictionary (the schema) says once, for every institution, how a variable becomes columns: a number is scaled
 * to [-1, 1] by its range, every level of a category is a column of zeros and ones. A column of up to N/2 patients
 * fills the slots of one ciphertext.
 *
 * Every statistic is then a set of cells: sums over the patients of products of columns. The sum of AGE over the
 * women is the sum of AGE * (SEX=F). The planner turns a query into cells, finds the products that several cells
 * share, chooses the smallest level, and states what everything costs and how exact it will be, before anything runs.
 *
 * Run: node examples/fhe/2_columns_and_plan.ts
 */
import assert from 'node:assert/strict';
import {
  FheError,
  packColumns,
  parameterSet,
  parseAnalysisQuery,
  parseLayout,
  parseQuery,
  parseSchema,
  plan,
} from '@strokeshare/fhe';

const schema = parseSchema({
  name: 'Stroke register',
  version: '1',
  variables: [
    { name: 'AGE', kind: 'numeric', minimum: 16, maximum: 99, unit: 'years' },
    { name: 'RSBP', kind: 'numeric', minimum: 70, maximum: 295, unit: 'mmHg', missing: true },
    {
      name: 'SEX',
      kind: 'categorical',
      levels: [
        { code: 'F', label: 'female' },
        { code: 'M', label: 'male' },
      ],
    },
  ],
});
const set = parameterSet('standard');

const { batches } = packColumns(
  schema,
  [
    { AGE: 81, RSBP: 160, SEX: 'F' },
    { AGE: 57, RSBP: null, SEX: 'M' },
    { AGE: 99, RSBP: 295, SEX: 'F' },
  ],
  set,
);
for (const [name, values] of batches[0]?.columns ?? [])
  console.log(
    name.padEnd(12),
    [...values.subarray(0, 4)].map((value) => value.toFixed(3)).join('  '),
    ' ...',
  );

// The circumstances are part of a plan: noise grows with the number of holders, sums with that of batches.
const context = { holders: 5, threshold: 3, institutions: 4, batches: 12 };
const query = parseQuery({
  version: 1,
  statistics: [{ id: 'pressure', kind: 'variance', variable: 'RSBP', by: ['SEX'] }],
});
const made = plan(query, [schema], set, context);
for (const cell of made.cells)
  console.log(
    `${cell.kind} ${cell.id}: ${cell.operands.join(' times ')}, released at ${cell.primes} primes,`,
    `off by a deviation of ${cell.errorDeviation}; released only if ${cell.countCell} is large enough`,
  );
console.log('inner products, computed once for all cells:', made.products.map(({ id }) => id).join(', '));
console.log(
  `cost: ${made.cost.multiplications} multiplications, ${made.cost.relinearizations} relinearisations,`,
  `${(made.cost.bytesIn / 1e6).toFixed(1)} MB to read, about ${made.cost.units} ms of one core`,
);
assert.equal(made.cost.depth, 2);

// What does not fit a parameter set is refused, with the name of the one that would do.
try {
  plan(query, [schema], parameterSet('additive'), context);
  assert.fail('the additive set cannot multiply');
} catch (error) {
  assert.ok(error instanceof FheError && error.code === 'PLAN_TOO_DEEP');
  console.log(`refused: ${error.message}`);
}

// Slots are complex numbers, so one ciphertext has room for two columns, x + iy. A product with a column of real
// numbers g is xg + iyg: two cells from one multiplication. A layout says which columns are stored so.
const layout = parseLayout({ pairs: [['AGE', 'RSBP']] });
const means = parseAnalysisQuery({
  version: 1,
  statistics: [
    { id: 'age', kind: 'mean', variable: 'AGE', by: ['SEX'] },
    { id: 'pressure', kind: 'mean', variable: 'RSBP', by: ['SEX'] },
  ],
});
const alone = plan(means, [schema], set, context);
const paired = plan(means, [schema], set, context, layout);
console.log(
  `with a pair: ${paired.cost.multiplications} multiplications instead of ${alone.cost.multiplications},`,
  `${(paired.cost.bytesIn / 1e6).toFixed(1)} MB instead of ${(alone.cost.bytesIn / 1e6).toFixed(1)} MB`,
);
for (const { id, operands, coefficient } of paired.cells)
  if (operands.includes('AGE&RSBP'))
    console.log(`${id} is ${coefficient ?? 'constant'} of ${operands.join(' * ')}`);
assert.ok(paired.cost.multiplications < alone.cost.multiplications);
