import { parameterSet, parseSchema, plan } from '@strokeshare/fhe';
import fc from 'fast-check';
import { releasable, type CountedGroup } from './suppression.js';

const MINIMUM = 20;
const group = (labels: Record<string, string>, count?: number): CountedGroup => {
  const factors = Object.entries(labels).map(([variable, level]) => `${variable}=${level}`);
  const cell = factors.join('*') || '_row';
  return {
    cell,
    factors: factors.length > 0 ? factors : ['_row'],
    labels,
    ...(count !== undefined && { count }),
  };
};
/** A total and its parts by the variable T. */
const totalAndParts = (...counts: (number | undefined)[]): CountedGroup[] => [
  group(
    {},
    counts.reduce<number>((sum, count) => sum + (count ?? 4), 0),
  ),
  ...counts.map((count, i) => group({ T: String(i) }, count)),
];
const hidden = (groups: CountedGroup[]): string[] => {
  const passing = releasable(groups, MINIMUM);
  return groups.map(({ cell }) => cell).filter((cell) => !passing.has(cell));
};

describe('complementary suppression', () => {
  it('hides nothing where every count is large enough', () => {
    expect(hidden(totalAndParts(20, 30, 40))).toEqual([]);
  });

  it('hides the smallest other part where one alone could be computed from the total', () => {
    expect(hidden(totalAndParts(5, 90, 40))).toEqual(['T=0', 'T=2']);
  });

  it('hides another part where the hidden ones are too few together', () => {
    expect(hidden(totalAndParts(5, 6, 90, 40))).toEqual(['T=0', 'T=1', 'T=3']);
    expect(hidden(totalAndParts(15, 6, 90, 40))).toEqual(['T=0', 'T=1']);
  });

  it('counts what an institution withholds as hidden and unknown', () => {
    expect(hidden(totalAndParts(undefined, 90, 40))).toEqual(['T=0', 'T=2']);
  });

  it('leaves parts alone whose total nobody asked for', () => {
    expect(hidden(totalAndParts(5, 90, 40).slice(1))).toEqual(['T=0']);
  });

  it('does not let a cell of a table be computed from its margins', () => {
    const cells = [
      ['a', 'x', 5],
      ['a', 'y', 50],
      ['b', 'x', 60],
      ['b', 'y', 70],
    ] as const;
    const sum = (want: (row: string, column: string) => boolean): number =>
      cells.reduce((total, [row, column, count]) => total + (want(row, column) ? count : 0), 0);
    const table = [
      ...cells.map(([R, C, count]) => group({ R, C }, count)),
      ...['a', 'b'].map((R) =>
        group(
          { R },
          sum((row) => row === R),
        ),
      ),
      ...['x', 'y'].map((C) =>
        group(
          { C },
          sum((_, column) => column === C),
        ),
      ),
    ];
    expect(hidden(table)).toEqual(['R=a*C=x', 'R=a*C=y', 'R=b*C=x', 'R=b*C=y']);
  });

  it('never leaves one hidden term in an equation, nor hidden parts of a total that are too few', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 2, maxLength: 6 }), (counts) => {
        const [total, ...parts] = totalAndParts(...counts);
        const passing = releasable([total!, ...parts], MINIMUM);
        const away = parts.filter(({ cell }) => !passing.has(cell));
        // Released are only counts from the minimum on.
        if ([total!, ...parts].some(({ cell, count = 0 }) => passing.has(cell) && count < MINIMUM))
          return false;
        if (!passing.has(total!.cell) || away.length === 0) return true;
        const together = away.reduce((sum, { count = 0 }) => sum + count, 0);
        return away.length === parts.length || (away.length > 1 && together >= MINIMUM);
      }),
    );
  });

  it('finds totals and parts in real plans', () => {
    const schema = parseSchema({
      name: 'small',
      version: '1',
      variables: [
        { name: 'AGE', kind: 'numeric', minimum: 16, maximum: 99, missing: true },
        { name: 'T', kind: 'categorical', levels: ['0', '1', '2'].map((code) => ({ code, label: code })) },
      ],
    });
    const { cells } = plan(
      {
        version: 1,
        statistics: [
          { id: 'n', kind: 'count' },
          { id: 'all', kind: 'mean', variable: 'AGE' },
          { id: 'age', kind: 'mean', variable: 'AGE', by: ['T'] },
        ],
      },
      [schema],
      parameterSet('toy'),
      { holders: 2, threshold: 2, institutions: 1, batches: 1 },
    );
    const counts = cells.filter(({ kind }) => kind === 'count');
    const groups = counts.map(({ id, factors, labels }) => {
      const size = { 0: 5, 1: 90, 2: 40 }[labels['T'] ?? ''] ?? 135;
      return { cell: id, factors, labels, count: size };
    });
    const passing = releasable(groups, MINIMUM);
    const left = groups.filter(({ cell }) => passing.has(cell)).map(({ labels }) => labels['T']);
    // Neither of all patients nor of those with an age can the small group be computed.
    expect(left).not.toContain('0');
    expect(left).not.toContain('2');
    expect(left).toContain('1');
    expect(left).toContain(undefined);
  });
});
