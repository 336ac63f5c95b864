import { parameterSet } from '../params/index.js';
import { type Query } from '../query/index.js';
import { parseSchema } from '../schema/index.js';
import { plan } from './plan.js';

const schema = parseSchema({
  name: 'small',
  version: '1',
  variables: [
    { name: 'AGE', kind: 'numeric', minimum: 16, maximum: 99, missing: true },
    { name: 'SEX', kind: 'categorical', levels: ['F', 'M'].map((code) => ({ code, label: code })) },
    { name: 'DEAD', kind: 'boolean' },
  ],
});
const query: Query = {
  version: 1,
  statistics: [{ id: 'age', kind: 'mean', variable: 'AGE' }],
  where: [{ variable: 'DEAD', level: 'true' }],
};
const context = { holders: 3, threshold: 2, institutions: 1, batches: 1 };
const compared = (...ids: string[]) =>
  plan(query, [schema], parameterSet('standard'), context, undefined, ids);

test('a comparison is one more count that no statistic uses, and changes nothing else of the plan', () => {
  const plain = compared();
  const made = compared('AGE:valid*DEAD=true*SEX=F');
  expect(made.cells.slice(0, -1)).toEqual(plain.cells);
  expect(made.cells.at(-1)).toMatchObject({
    id: 'AGE:valid*DEAD=true*SEX=F',
    kind: 'count',
    comparison: true,
    statistics: [],
  });
  expect(made.statistics).toEqual(plain.statistics);
  expect(plain.cells.some((cell) => 'comparison' in cell)).toBe(false);
  expect(made.hash).not.toBe(plain.hash);
});

test.each([
  ['a column that holds numbers', 'AGE*DEAD=true'],
  ['the row indicator', '_row'],
  ['a level that is not there', 'SEX=X'],
  ['a variable that is not there', 'SMOKER=true'],
  ['columns out of order', 'SEX=F*DEAD=true'],
  ['a column twice', 'SEX=F*SEX=F'],
  ['what the query counts itself', 'AGE:valid*DEAD=true'],
])('refuses to compare by %s', (_, id) => {
  expect(() => compared(id)).toThrow(expect.objectContaining({ code: 'PLAN_INVALID' }));
});
