import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { parameterSet } from '../params/index.js';
import { parseQuery, type Query } from '../query/query.js';
import { parseSchema, type Schema } from '../schema/schema.js';
import { plan, planHash } from './plan.js';
import { type Plan, type PlanContext } from './types.js';

const root = join(__dirname, '..', '..');
const ist = parseSchema(readJson(join(root, '..', 'data', 'schemas', 'ist.json')));
const four: PlanContext = { holders: 4, threshold: 3, institutions: 4, batches: 4 };
const standard = parameterSet('standard');

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}

function ask(statistics: Query['statistics'], where?: Query['where']): Query {
  return parseQuery({ version: 1, statistics, where });
}

interface Vector {
  name: string;
  parameterSet: string;
  schema: Schema;
  query: Query;
  context: PlanContext;
  plan: Plan;
}

test.each(readJson(join(root, 'test', 'vectors', 'plans.json')) as Vector[])('vector: $name', (vector) => {
  const made = plan(vector.query, [vector.schema], parameterSet(vector.parameterSet), vector.context);
  expect(made).toEqual(vector.plan);
  expect(planHash(vector.plan)).toBe(vector.plan.hash);
});

const varianceBy = (by: string[]) => ask([{ id: 'v', kind: 'variance', variable: 'RSBP', by }]);

test('chooses the smallest level: linear cells at two primes, products at three', () => {
  const made = plan(
    ask([
      { id: 'n', kind: 'count', by: ['STYPE'] },
      { id: 'age', kind: 'mean', variable: 'AGE', by: ['STYPE'] },
      { id: 'sbp', kind: 'variance', variable: 'RSBP', by: ['RCONSC'] },
    ]),
    [ist],
    standard,
    four,
  );
  const byFactors = Object.groupBy(made.cells, (cell) => String(cell.factors.length));
  expect(new Set(byFactors['1']?.map((cell) => cell.primes))).toEqual(new Set([2]));
  expect(new Set(byFactors['2']?.map((cell) => cell.primes))).toEqual(new Set([3]));
  expect(new Set(byFactors['3']?.map((cell) => cell.primes))).toEqual(new Set([3]));
  expect(made.products.map((product) => product.id)).toEqual(['RSBP*RSBP@3']);
  expect(made.cost).toMatchObject({ depth: 2, multiplications: 4 * (1 + 5 + 3 + 3) });
  // Counts that several statistics use are one cell.
  expect(made.cells.filter((cell) => cell.id === 'STYPE=LACS')).toEqual([
    expect.objectContaining({ statistics: ['n', 'age'], countCell: 'STYPE=LACS', labels: { STYPE: 'LACS' } }),
  ]);
  expect(made.cells.find((cell) => cell.id === 'AGE*STYPE=LACS')?.countCell).toBe('STYPE=LACS');
});

test('the deep set needs a fourth prime at release only for products of many factors', () => {
  const conditions = [
    { variable: 'RXASP', level: 'Y' },
    { variable: 'ID14', level: '0' },
    { variable: 'STYPE', level: 'LACS' },
    { variable: 'RXHEP', level: 'N' },
  ];
  const primes = (count: number) => {
    const query = ask(
      [{ id: 'v', kind: 'variance', variable: 'RSBP', by: ['RCONSC', 'SEX'] }],
      conditions.slice(0, count),
    );
    const { cells } = plan(query, [ist], parameterSet('deep'), four);
    return new Set(cells.filter((cell) => cell.factors.length === 4 + count).map((cell) => cell.primes));
  };
  expect(primes(1)).toEqual(new Set([3]));
  expect(primes(4)).toEqual(new Set([4]));
});

test('a variable that may be missing is counted where it is recorded', () => {
  const schema: Schema = {
    ...ist,
    variables: [{ name: 'NIHSS', kind: 'numeric', minimum: 0, maximum: 42, missing: true }],
  };
  const made = plan(ask([{ id: 'm', kind: 'mean', variable: 'NIHSS' }]), [schema], standard, four);
  expect(made.statistics[0]?.rows).toEqual([{ labels: {}, count: 'NIHSS:valid', sum: 'NIHSS' }]);
});

test('agrees with the figures of the design for many institutions', () => {
  const many = { holders: 15, threshold: 7, institutions: 1500, batches: 1500 };
  const made = plan(varianceBy(['RCONSC', 'SEX']), [ist], standard, many);
  const deepest = made.cells.filter((cell) => cell.factors.length === 4);
  expect(deepest).toHaveLength(6);
  for (const cell of deepest) {
    expect(Number(cell.errorDeviation)).toBeGreaterThan(0.003);
    expect(Number(cell.errorDeviation)).toBeLessThan(0.012);
  }
});

test('capacity: 300,000 batches of depth 2 fit, 600,000 do not', () => {
  const query = varianceBy(['RCONSC', 'SEX']);
  const at = (batches: number) => () =>
    plan(query, [ist], standard, { holders: 3, threshold: 1, institutions: 1500, batches });
  // The counts of such a sum are products at three primes and still told exactly.
  expect(at(300_000)).not.toThrow();
  expect(at(600_000)).toThrow(expect.objectContaining({ code: 'CAPACITY_EXCEEDED' }));
});

test('a plan too deep is refused with the set that would do', () => {
  const depthOne = ask([{ id: 'm', kind: 'mean', variable: 'AGE', by: ['SEX'] }]);
  expect(() => plan(depthOne, [ist], parameterSet('additive'), four)).toThrow(
    expect.objectContaining({ code: 'PLAN_TOO_DEEP', message: expect.stringContaining('standard would do') }),
  );
  const conditions = [
    { variable: 'RXASP', level: 'Y' },
    { variable: 'ID14', level: '0' },
    { variable: 'STYPE', level: 'LACS' },
    { variable: 'RXHEP', level: 'N' },
    { variable: 'H14', level: '0' },
  ];
  const five = ask([{ id: 'v', kind: 'variance', variable: 'RSBP', by: ['SEX'] }], conditions.slice(0, 2));
  expect(() => plan(five, [ist], standard, four)).toThrow(
    expect.objectContaining({ code: 'PLAN_TOO_DEEP', message: expect.stringContaining('deep would do') }),
  );
  const nine = ask([{ id: 'v', kind: 'variance', variable: 'RSBP', by: ['SEX', 'RCONSC'] }], conditions);
  expect(() => plan(nine, [ist], standard, four)).toThrow(
    expect.objectContaining({ code: 'PLAN_TOO_DEEP', message: expect.stringContaining('fewer conditions') }),
  );
});

test.each([
  [
    'an unknown variable, with the nearest name',
    ask([{ id: 'm', kind: 'mean', variable: 'RSPB' }]),
    'UNKNOWN_VARIABLE',
    'did you mean RSBP?',
  ],
  [
    'an unknown level, with the nearest code',
    ask([{ id: 'n', kind: 'count' }], [{ variable: 'STYPE', level: 'LACI' }]),
    'UNKNOWN_LEVEL',
    'did you mean LACS?',
  ],
  ['a mean of levels', ask([{ id: 'm', kind: 'mean', variable: 'SEX' }]), 'QUERY_INVALID', 'needs a number'],
  ['groups of a number', ask([{ id: 'n', kind: 'count', by: ['AGE'] }]), 'QUERY_INVALID', 'no levels'],
  [
    'a grouping that is fixed by a condition',
    ask([{ id: 'n', kind: 'count', by: ['SEX'] }], [{ variable: 'SEX', level: 'F' }]),
    'QUERY_INVALID',
    'both a condition and a grouping',
  ],
])('refuses %s', (_, query, code, message) => {
  expect(() => plan(query, [ist], standard, four)).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(message) }),
  );
});

test('datasets must define what is used alike, and may differ in the rest', () => {
  const change = (name: string, change: object): Schema => ({
    ...ist,
    name: 'Other',
    variables: ist.variables.map((v) => (v.name === name ? { ...v, ...change } : v)) as Schema['variables'],
  });
  const query = ask([{ id: 'm', kind: 'mean', variable: 'AGE', by: ['SEX'] }]);
  const same = plan(query, [ist], standard, four);
  expect(plan(query, [ist, change('RSBP', { maximum: 300 })], standard, four)).toEqual(same);
  expect(plan(query, [ist, change('AGE', { description: 'years lived' })], standard, four)).toEqual(same);
  for (const other of [
    change('AGE', { maximum: 110 }),
    change('AGE', { name: 'YEARS' }),
    change('AGE', { missing: true }),
  ])
    expect(() => plan(query, [ist, other], standard, four)).toThrow(
      expect.objectContaining({ code: 'SCHEMA_MISMATCH', message: expect.stringContaining('Other 1') }),
    );
});

test.each([{ holders: 0 }, { holders: 33 }, { threshold: 5 }, { batches: 3 }, { institutions: 1.5 }])(
  'refuses the impossible context %o',
  (change) => {
    const query = ask([{ id: 'n', kind: 'count' }]);
    expect(() => plan(query, [ist], standard, { ...four, ...change })).toThrow(
      expect.objectContaining({ code: 'PLAN_INVALID' }),
    );
  },
);

test('more holders, institutions or batches never lower a bound', () => {
  const query = varianceBy(['RCONSC']);
  const small = fc.integer({ min: 1, max: 30 });
  fc.assert(
    fc.property(small, small, small, small, small, small, (h, moreH, i, moreI, b, moreB) => {
      const context = { holders: h, threshold: 1, institutions: i, batches: i + b };
      const larger = {
        holders: Math.min(32, h + moreH),
        threshold: 1,
        institutions: i + moreI,
        batches: i + b + moreI + moreB,
      };
      const [less, more] = [context, larger].map((c) => plan(query, [ist], standard, c).cells);
      less?.forEach((cell, n) => {
        expect(BigInt(more?.[n]?.noiseBound ?? 0) >= BigInt(cell.noiseBound)).toBe(true);
        expect(BigInt(more?.[n]?.sigma ?? 0) >= BigInt(cell.sigma)).toBe(true);
      });
    }),
    { numRuns: 25 },
  );
});

test('a table by a third variable: a contiguous table for each level, of three indicators each', () => {
  const made = plan(
    ask([{ id: 't', kind: 'crosstab', rows: 'RXASP', columns: 'ID14', by: ['SEX'] }]),
    [ist],
    standard,
    four,
  );
  expect(made.statistics[0]?.rows.map(({ labels }) => Object.values(labels).join(''))).toEqual([
    'FY1',
    'FY0',
    'FN1',
    'FN0',
    'MY1',
    'MY0',
    'MN1',
    'MN0',
  ]);
  expect(made.cells.every(({ kind, factors }) => kind === 'count' && factors.length === 3)).toBe(true);
});
