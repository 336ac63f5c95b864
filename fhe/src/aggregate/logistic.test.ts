import { parameterSet } from '../params/index.js';
import { plan } from '../plan/index.js';
import { parseAnalysisQuery, planVariables, type AnalysisQuery } from '../query/index.js';
import { parseSchema } from '../schema/index.js';
import { requireFormat } from './fixedPoint.js';
import {
  COEFFICIENT_UNIT,
  logisticFormat,
  logisticLength,
  logisticSumsOf,
  logisticVector,
} from './logistic.js';

const schema = parseSchema({
  name: 'trial',
  version: '1',
  variables: [
    { name: 'AGE', kind: 'numeric', minimum: 0, maximum: 100 },
    { name: 'NIHSS', kind: 'numeric', minimum: 0, maximum: 42, missing: true },
    { name: 'DEAD', kind: 'boolean' },
    { name: 'SEX', kind: 'categorical', levels: ['F', 'M'].map((code) => ({ code, label: code })) },
  ],
});
const context = { holders: 4, threshold: 3, institutions: 4, batches: 4 };
type Step = Extract<AnalysisQuery['statistics'][number], { kind: 'logistic' }>;
const step = (change: Partial<Step> = {}): Step => ({
  ...{ id: 'step', kind: 'logistic', outcome: { variable: 'DEAD', level: 'true' } },
  terms: [{ variable: 'AGE' }, { variable: 'NIHSS' }, { variable: 'SEX', level: 'M' }],
  coefficients: [1, 2, 3, 4],
  ...change,
});
const planned = (...statistics: AnalysisQuery['statistics']) =>
  plan(parseAnalysisQuery({ version: 1, statistics }), [schema], parameterSet('standard'), context);

test('a vector holds gradient, upper triangle and likelihood, and gives them back', () => {
  const sums = {
    gradient: [1, 2, 3],
    information: [
      [4, 5, 6],
      [5, 7, 8],
      [6, 8, 9],
    ],
    logLikelihood: -10,
  };
  const vector = logisticVector(sums);
  expect(vector).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, -10]);
  expect(vector).toHaveLength(logisticLength(3));
  expect(logisticSumsOf(vector, 3)).toEqual(sums);
  expect(() => logisticSumsOf(vector, 4)).toThrow(expect.objectContaining({ code: 'ARGUMENT_INVALID' }));
});

test.each([
  [1, 1],
  [100_000, 5],
  [12_000_000, 1500],
  [16 * 1500 * 8192, 1500],
])(
  'sums over %d patients of %d institutions fit, and rounding moves no coefficient by 1e-6',
  (patients, institutions) => {
    const { fractionBits } = requireFormat(logisticFormat(16, patients, institutions));
    // A coefficient moves by the gradient's error over the information, to which a patient adds 0.01 and more.
    expect((institutions * 2 ** -fractionBits) / (0.01 * patients)).toBeLessThan(1e-6);
  },
);

test('a step is one count under the key, and a vector that never touches it', () => {
  const made = planned(step());
  expect(made.cells.map(({ id, kind }) => [id, kind])).toEqual([['NIHSS:valid', 'count']]);
  expect(made.vector).toMatchObject({
    ...{ statistic: 'step', countCell: 'NIHSS:valid', model: 'DEAD=true~AGE+NIHSS+SEX=M' },
    format: { length: 15, contributors: 4 },
  });
  const [statistic] = made.statistics;
  expect(statistic).toMatchObject({
    terms: [{ middle: 50, half: 50 }, { middle: 21, half: 21 }, { level: 'M' }],
    coefficients: [1, 2, 3, 4],
  });
  // Other coefficients are another job of the same model.
  const other = planned(step({ coefficients: [0, 0, 0, 0] }));
  expect(other.hash).not.toBe(made.hash);
  expect(other.vector?.model).toBe(made.vector?.model);
  expect(planVariables({ version: 1, statistics: [step()] })).toEqual(['AGE', 'DEAD', 'NIHSS', 'SEX']);
});

test.each([
  ['two steps', [step(), step({ id: 'other' })], /two regressions/],
  ['a level that there is not', [step({ outcome: { variable: 'DEAD', level: 'dead' } })], /no level dead/],
  [
    'a number as the outcome',
    [
      step({
        outcome: { variable: 'AGE', level: '1' },
        terms: [{ variable: 'SEX', level: 'M' }],
        coefficients: [0, 0],
      }),
    ],
    /no levels/,
  ],
  ['levels as a number', [step({ terms: [{ variable: 'SEX' }], coefficients: [0, 0] })], /needs a number/],
  [
    'the outcome by itself',
    [step({ terms: [{ variable: 'DEAD', level: 'false' }], coefficients: [0, 0] })],
    /by itself/,
  ],
  [
    'a term twice',
    [step({ terms: [{ variable: 'AGE' }, { variable: 'AGE' }], coefficients: [0, 0, 0] })],
    /twice/,
  ],
  ['fractions of a unit', [step({ coefficients: [0.5, 0, 0, 0] })], /int/],
  ['a sharp threshold', [step({ coefficients: [0, 49 / COEFFICIENT_UNIT, 0, 0] })], /more than 48/],
])('refuses %s', (_, statistics, reason) => {
  expect(() => planned(...statistics)).toThrow(reason);
});
