import { parameterSet } from '../params/index.js';
import { parseAnalysisQuery } from '../query/index.js';
import { parseSchema } from '../schema/index.js';
import { plan } from './plan.js';
import { type AnalysisPlan } from './types.js';
import { type Layout } from '../columns/index.js';

const standard = parameterSet('standard');
const context = { holders: 5, threshold: 3, institutions: 2, batches: 4 };
const schema = parseSchema({
  name: 'test',
  version: '1',
  variables: [
    { name: 'X', kind: 'numeric', minimum: -1, maximum: 1 },
    { name: 'Y', kind: 'numeric', minimum: 0, maximum: 9 },
    { name: 'Z', kind: 'numeric', minimum: 0, maximum: 9, missing: true },
    { name: 'G', kind: 'boolean' },
    { name: 'T', kind: 'timeToEvent', time: 'DAYS', event: 'DIED', unit: 'd', grid: [30, 180] },
  ],
});
const pairXY: Layout = { pairs: [['X', 'Y']], alone: ['X', 'Y'] };
const ask = (...statistics: unknown[]) => parseAnalysisQuery({ version: 1, statistics });
const cellsOf = (made: AnalysisPlan) =>
  Object.fromEntries(made.cells.map((cell) => [cell.id, [cell.operands.join(' '), cell.coefficient ?? 0]]));
const correlation = (...variables: string[]) => ({ id: 'r', kind: 'correlation', variables });

test('one product of a pair with a column serves two cells', () => {
  const query = ask(
    { id: 'x', kind: 'mean', variable: 'X', by: ['G'] },
    { id: 'y', kind: 'mean', variable: 'Y', by: ['G'] },
  );
  const made = plan(query, [schema], standard, context, { pairs: [['X', 'Y']] });
  expect(cellsOf(made)).toMatchObject({
    'G=true*X': ['G=true X&Y', 0],
    'G=true*Y': ['G=true X&Y', 'half'],
    'G=false*X': ['G=false X&Y', 0],
    'G=false*Y': ['G=false X&Y', 'half'],
  });
  expect(made.columns).toEqual(['G=false', 'G=true', 'X&Y']);
  const single = plan(query, [schema], standard, context);
  expect(made.cost.multiplications).toBe(single.cost.multiplications / 2);
  expect(made.cost.relinearizations).toBe(single.cost.relinearizations / 2);
  expect(made.cost.bytesIn).toBe((single.cost.bytesIn * 3) / 4);
});

test('squares and products of two columns take two multiplications instead of three', () => {
  const made = plan(ask(correlation('X', 'Y')), [schema], standard, context, pairXY);
  expect(cellsOf(made)).toEqual({
    _row: ['_row', 0],
    X: ['X&Y', 0],
    Y: ['X&Y', 'half'],
    'X*X': ['X X', 0],
    'X*Y': ['X&Y Y', 0],
    'Y*Y': ['X&Y Y', 'half'],
  });
  expect(made.cost.multiplications).toBe(2 * context.batches);
  const single = plan(ask(correlation('X', 'Y')), [schema], standard, context);
  expect(single.cost.multiplications).toBe(3 * context.batches);
  // The slots of a pair are as large as the square root of 2, and so is the noise of the other factor.
  const [noise, paired] = [single, made].map(({ cells }) =>
    Number(cells.find((c) => c.id === 'X*Y')!.noiseBound),
  );
  expect(paired! / noise!).toBeGreaterThan(1.15);
  expect(paired! / noise!).toBeLessThan(Math.SQRT2);
});

test('a column that is stored in a pair alone is used from there, and a square of it is refused', () => {
  const layout: Layout = { pairs: [['X', 'Y']] };
  const mean = plan(ask({ id: 'y', kind: 'mean', variable: 'Y' }), [schema], standard, context, layout);
  expect(cellsOf(mean)).toMatchObject({ Y: ['X&Y', 'half'] });
  expect(() =>
    plan(ask({ id: 'y', kind: 'variance', variable: 'Y' }), [schema], standard, context, layout),
  ).toThrow(expect.objectContaining({ code: 'PLAN_INVALID' }));
});

test('a pair that saves nothing is left aside', () => {
  const made = plan(ask({ id: 'x', kind: 'variance', variable: 'X' }), [schema], standard, context, pairXY);
  expect(cellsOf(made)).toEqual({ _row: ['_row', 0], X: ['X', 0], 'X*X': ['X X', 0] });
});

test('columns kept at two primes are cheaper to read, and are not multiplied', () => {
  const layout: Layout = { pairs: [['X', 'Y']], linear: ['X&Y', '_row'] };
  const mean = ask({ id: 'x', kind: 'mean', variable: 'X' });
  const made = plan(mean, [schema], standard, context, layout);
  expect(made.columnPrimes).toEqual({ _row: 2, 'X&Y': 2 });
  expect(made.cost.bytesIn).toBeLessThan(0.51 * plan(mean, [schema], standard, context).cost.bytesIn);
  const grouped = ask({ id: 'x', kind: 'mean', variable: 'X', by: ['G'] });
  expect(() => plan(grouped, [schema], standard, context, layout)).toThrow(
    expect.objectContaining({ code: 'PLAN_INVALID' }),
  );
});

test('a correlation counts the patients that have both variables', () => {
  const made = plan(ask(correlation('X', 'Z')), [schema], standard, context);
  expect(made.statistics).toEqual([
    {
      id: 'r',
      kind: 'correlation',
      variables: ['X', 'Z'],
      rows: [
        {
          labels: {},
          count: 'Z:valid',
          sum: 'X*Z:valid',
          squares: 'X*X*Z:valid',
          otherSum: 'Z',
          otherSquares: 'Z*Z',
          product: 'X*Z',
        },
      ],
    },
  ]);
  expect(made.cells.find((cell) => cell.id === 'X*Z')).toMatchObject({ kind: 'value', countCell: 'Z:valid' });
});

test('survival asks for events and censored patients of every interval and group', () => {
  const made = plan(
    ask({ id: 's', kind: 'survival', variable: 'T', by: ['G'] }),
    [schema],
    standard,
    context,
    {
      pairs: [
        ['T:event@30', 'T:censored@30'],
        ['T:event@180', 'T:censored@180'],
      ],
    },
  );
  expect(made.statistics[0]).toMatchObject({ kind: 'survival', variable: 'T' });
  expect(made.statistics[0]?.rows[0]).toEqual({
    labels: { G: 'true' },
    count: 'G=true',
    points: [
      { time: 30, events: 'G=true*T:event@30', censored: 'G=true*T:censored@30' },
      { time: 180, events: 'G=true*T:event@180', censored: 'G=true*T:censored@180' },
    ],
  });
  expect(made.cells.filter((cell) => cell.id.includes('T:')).every((cell) => cell.kind === 'count')).toBe(
    true,
  );
  // Two cells from each product.
  expect(made.cost.multiplications).toBe(4 * context.batches);
});

test('queries of the new kinds are checked', () => {
  for (const bad of [
    correlation('X', 'X'),
    correlation('X', 'G'),
    correlation('X'),
    { id: 's', kind: 'survival', variable: 'X' },
  ])
    expect(() => plan(ask(bad), [schema], standard, context)).toThrow(
      expect.objectContaining({ code: 'QUERY_INVALID' }),
    );
});
