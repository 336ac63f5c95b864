import { nearest } from './nearest.js';
import { parseQuery, planVariables } from './query.js';

const count = { id: 'n', kind: 'count' };

test('lists the variables that a query reads', () => {
  const query = parseQuery({
    version: 1,
    statistics: [
      { id: 'a', kind: 'mean', variable: 'AGE', by: ['STYPE'] },
      { id: 'b', kind: 'crosstab', rows: 'RXASP', columns: 'ID14' },
    ],
    where: [{ variable: 'SEX', level: 'F' }],
  });
  expect(planVariables(query)).toEqual(['AGE', 'ID14', 'RXASP', 'SEX', 'STYPE']);
});

test.each([
  ['nothing', {}, /version/],
  ['no statistic', { version: 1, statistics: [] }, /asks for nothing/],
  ['an id twice', { version: 1, statistics: [count, count] }, /same id twice/],
  ['an unknown kind', { version: 1, statistics: [{ id: 'n', kind: 'median' }] }, /statistics\[0\]\.kind/],
  ['three groupings', { version: 1, statistics: [{ ...count, by: ['A', 'B', 'C'] }] }, /at most two/],
  ['a grouping twice', { version: 1, statistics: [{ ...count, by: ['A', 'A'] }] }, /twice/],
  [
    'a variable crossed with itself',
    { version: 1, statistics: [{ id: 'x', kind: 'crosstab', rows: 'A', columns: 'A' }] },
    /itself/,
  ],
  [
    'a table split by its own variable',
    { version: 1, statistics: [{ id: 'x', kind: 'crosstab', rows: 'A', columns: 'B', by: ['A'] }] },
    /its own/,
  ],
  [
    'two levels of one variable',
    {
      version: 1,
      statistics: [count],
      where: [
        { variable: 'SEX', level: 'F' },
        { variable: 'SEX', level: 'M' },
      ],
    },
    /restricts a variable twice/,
  ],
])('refuses %s', (_, query, reason) => {
  expect(() => parseQuery(query)).toThrow(
    expect.objectContaining({ code: 'QUERY_INVALID', message: expect.stringMatching(reason) }),
  );
});

test('offers the nearest name, and none when nothing is near', () => {
  expect(nearest('RSPB', ['AGE', 'RSBP', 'SEX'])).toBe('RSBP');
  expect(nearest('styp', ['AGE', 'STYPE'])).toBe('STYPE');
  expect(nearest('cholesterol', ['AGE', 'STYPE'])).toBeUndefined();
});
