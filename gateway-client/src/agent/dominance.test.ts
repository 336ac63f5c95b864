import { packColumns, parameterSet, parseSchema, plan, type Query } from '@strokeshare/fhe';
import fc from 'fast-check';
import { contributionsTo, isDominated } from './dominance.js';

const schema = parseSchema({
  name: 'costs',
  version: '1',
  variables: [
    { name: 'COST', kind: 'numeric', minimum: 0, maximum: 100_000, missing: true },
    { name: 'ARM', kind: 'categorical', levels: ['Y', 'N'].map((code) => ({ code, label: code })) },
  ],
});
const query: Query = {
  version: 1,
  statistics: [{ id: 'c', kind: 'variance', variable: 'COST', by: ['ARM'] }],
};
const set = parameterSet('toy');

describe('the p% rule', () => {
  it.each([
    [[100, 50, 5], true],
    [[100, 50, 10], false],
    [[100], true],
    [[100, 100], true],
    [[], false],
    [[0, 0, 0], false],
    [[-100, 50, 5], true],
    [[60, 61, 62, 63], false],
  ])('of %j at 10 percent says %s', (contributions, dominated) => {
    expect(isDominated(contributions, 10)).toBe(dominated);
  });

  it('is what it says: the second largest cannot come within p percent of the largest', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 2, maxLength: 9 }),
        fc.integer({ min: 1, max: 50 }),
        (values, percent) => {
          const [largest = 0, second = 0] = [...values].sort((a, b) => b - a);
          const total = values.reduce((sum, value) => sum + value, 0);
          // The second largest takes its own away: what is left is an upper bound on the largest.
          const excess = total - second - largest;
          return isDominated(values, percent) === 100 * excess < percent * largest;
        },
      ),
    );
  });

  it('looks at numbers in their own units, of the patients in the cell who have them', () => {
    const records = [
      { COST: 90_000, ARM: 'Y' },
      { COST: 300, ARM: 'Y' },
      { COST: 200, ARM: 'Y' },
      { COST: null, ARM: 'Y' },
      { COST: 400, ARM: 'N' },
      { COST: 450, ARM: 'N' },
      { COST: 500, ARM: 'N' },
    ];
    const made = plan(query, [schema], set, { holders: 2, threshold: 2, institutions: 1, batches: 1 });
    const { batches } = packColumns(schema, records, set);
    const of = (id: string): number[] =>
      contributionsTo(
        made.cells.find((cell) => cell.id === id)!,
        made,
        batches,
      ).map(Math.round);
    expect(of('ARM=Y*COST')).toEqual([90_000, 300, 200]);
    expect(of('ARM=N*COST*COST')).toEqual([160_000, 202_500, 250_000]);
    expect(isDominated(of('ARM=Y*COST'), 10)).toBe(true);
    expect(isDominated(of('ARM=N*COST'), 10)).toBe(false);
  });
});
