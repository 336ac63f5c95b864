import { parameterSet, parseSchema, plan } from '@strokeshare/fhe';
import fc from 'fast-check';
import { cohortsOf } from './cohorts.js';
import { type AskedCount, lonelyGap, releasable } from './suppression.js';

const MINIMUM = 20;
const group = (labels: Record<string, string>, count?: number): AskedCount => {
  const cell = Object.entries(labels)
    .map(([variable, level]) => `${variable}=${level}`)
    .join('*');
  return { cell: cell || '_row', data: {}, numbers: [], ...(count !== undefined && { count }) };
};
/** A total and its parts by the variable T. */
const totalAndParts = (...counts: (number | undefined)[]): AskedCount[] => [
  group(
    {},
    counts.reduce<number>((sum, count) => sum + (count ?? 4), 0),
  ),
  ...counts.map((count, i) => group({ T: String(i) }, count)),
];
const hidden = (groups: AskedCount[]): string[] => {
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
    const level = (cell: string): string => /T=(\d)/.exec(cell)?.[1] ?? '';
    const groups = cohortsOf(cells, {}).map((cohort) => {
      const size = { 0: 5, 1: 90, 2: 40 }[level(cohort.cell)] ?? 135;
      return { ...cohort, count: size };
    });
    const left = [...releasable(groups, MINIMUM)].map(level);
    // Neither of all patients nor of those with an age can the small group be computed.
    expect(left).not.toContain('0');
    expect(left).not.toContain('2');
    expect(left).toContain('1');
    expect(left).toContain('');
  });
});

describe('differencing', () => {
  const count = (
    cell: string,
    number: number,
    numbers: string[] = [],
    data: Record<string, string> = { d: '1' },
  ) => ({
    cell,
    count: number,
    numbers,
    data,
  });
  const passing = (asked: AskedCount[], known: ReturnType<typeof count>[] = []): string[] => [
    ...releasable(asked, MINIMUM, known),
  ];

  it('of a cohort within another must leave none or enough', () => {
    const women = count('SEX=F', 100);
    expect(passing([count('ATRIAL=true*SEX=F', 95)], [women])).toEqual([]);
    expect(passing([count('ATRIAL=true*SEX=F', 80)], [women])).toEqual(['ATRIAL=true*SEX=F']);
    expect(passing([count('ATRIAL=true*SEX=F', 100)], [women])).toEqual(['ATRIAL=true*SEX=F']);
    // In either order, and within one job: the smaller one is hidden.
    expect(passing([women], [count('ATRIAL=true*SEX=F', 95)])).toEqual([]);
    expect(passing([women, count('ATRIAL=true*SEX=F', 95)])).toEqual(['SEX=F']);
  });

  it('looks at what is left of a total by all earlier jobs together', () => {
    const known = [count('_row', 100), count('T=0', 50)];
    expect(passing([count('T=1', 45)], known)).toEqual([]);
    expect(passing([count('T=1', 25)], known)).toEqual(['T=1']);
    expect(passing([count('T=1', 50)], known)).toEqual(['T=1']);
  });

  it('takes the intervals of a survival as parts of those whose time is known', () => {
    const events = [count('S:event@7', 40), count('S:censored@7', 50)];
    // Five patients lasted beyond the grid.
    expect(passing([count('S:valid', 95), ...events])).toEqual(['S:valid']);
    expect(passing([count('S:valid', 120), ...events])).toHaveLength(3);
  });

  it('lets the number of missing values be known, and no sum over them', () => {
    const all = (numbers: string[]) => count('_row', 100, numbers);
    const complete = (numbers: string[]) => count('RSBP:valid', 95, numbers);
    expect(passing([all([]), complete(['RSBP'])])).toHaveLength(2);
    expect(passing([all(['AGE']), complete(['RSBP'])])).toHaveLength(2);
    expect(passing([all(['AGE']), complete(['AGE', 'RSBP'])])).toEqual(['_row']);
  });

  it('compares datasets alone with datasets together, and a version with the one before', () => {
    const both = { d: '1', e: '1' };
    expect(passing([count('_row', 100, [], both)], [count('_row', 90)])).toEqual([]);
    expect(passing([count('_row', 100, [], both)], [count('_row', 70)])).toEqual(['_row']);
    expect(passing([count('_row', 100, [], { d: '2' })], [count('_row', 100)])).toEqual([]);
    expect(passing([count('_row', 100, [], { d: '2' })], [count('_row', 75)])).toEqual(['_row']);
    expect(passing([count('_row', 100)], [count('_row', 100)])).toEqual(['_row']);
    // Other conditions in another version may be other patients altogether.
    expect(passing([count('SEX=F', 100, [], { d: '2' })], [count('_row', 105)])).toEqual(['SEX=F']);
  });

  it('never passes what is too small, alone or as a difference', () => {
    const cohorts = fc.uniqueArray(
      fc.record({
        cell: fc.constantFrom('_row', 'T=0', 'T=1', 'SEX=F', 'SEX=F*T=0', 'SEX=F*T=1', 'AGE:valid'),
        count: fc.integer({ min: 0, max: 120 }),
      }),
      { selector: ({ cell }) => cell },
    );
    const full = ({ cell, count: number }: { cell: string; count: number }) => count(cell, number);
    fc.assert(
      fc.property(cohorts, cohorts, (asked, before) => {
        const known = before.filter(({ cell }) => !asked.some((other) => other.cell === cell)).map(full);
        const open = releasable(asked.map(full), MINIMUM, known);
        const visible = [...asked.filter(({ cell }) => open.has(cell)), ...known];
        const of = (cell: string): number | undefined => visible.find((other) => other.cell === cell)?.count;
        const [whole, first] = [of('T=0'), of('SEX=F*T=0')];
        const isNew = open.has('T=0') || open.has('SEX=F*T=0');
        const rest = whole === undefined || first === undefined ? 0 : Math.abs(whole - first);
        return (
          asked.every(({ cell, count: number }) => !open.has(cell) || number >= MINIMUM) &&
          (!isNew || rest === 0 || rest >= MINIMUM)
        );
      }),
    );
  });
});

test('a lonely gap is found whatever the numbers are', () => {
  const asked = totalAndParts(1, 2, 3);
  expect(lonelyGap(asked, new Set(['_row', 'T=0', 'T=1']))).toBe('T=2');
  expect(lonelyGap(asked, new Set(['_row', 'T=0']))).toBeUndefined();
  expect(lonelyGap(asked, new Set(['T=0', 'T=1']))).toBeUndefined();
  expect(lonelyGap(asked, new Set(['_row', 'T=0', 'T=1', 'T=2']))).toBeUndefined();
});
