/** Statistics of numbers and times beside SciPy, statsmodels and lifelines, on the International Stroke Trial. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dealTrial } from '../src/demo/records.js';
import {
  addAggregates,
  anova,
  correlation,
  correlationMatrix,
  kaplanMeier,
  linearRegression,
  logisticAggregate,
  logisticRegression,
  logRank,
  meanInterval,
  medianSurvival,
  tTest,
  welchAnova,
  type JointSums,
  type LogisticRow,
  type SurvivalCounts,
} from '../src/statistics/index.js';
import { expectClose, Oracle } from './oracles/oracle.js';

const truth = Oracle.ist();
const moments = (item: Oracle) => ({
  count: item.number('count'),
  mean: item.number('mean'),
  variance: item.number('variance'),
});
const joint = (item: Oracle): JointSums => ({
  count: item.number('count'),
  sum: item.number('sum'),
  squares: item.number('squares'),
  otherSum: item.number('otherSum'),
  otherSquares: item.number('otherSquares'),
  product: item.number('product'),
});

test.each(['unequal', 'equal'] as const)('t test with %s variances', (variances) => {
  const [first, second] = truth.items('tTest', 'groups').map(moments);
  const item = truth.at('tTest', variances);
  const result = tTest(first!, second!, { variances, level: 0.9 });
  for (const key of ['statistic', 'pValue', 'degreesOfFreedom'] as const)
    expectClose(result[key], item.number(key));
  expectClose(result.lower, item.number('interval', 0));
  expectClose(result.upper, item.number('interval', 1));
  expectClose(tTest(first!, second!, { variances, alternative: 'less' }).pValue, item.number('less'));
});

test('the mean of one group and its interval', () => {
  const item = truth.at('mean');
  const result = meanInterval(moments(item));
  expectClose(result.standardError, item.number('standardError'));
  expectClose(result.lower, item.number('interval', 0));
  expectClose(result.upper, item.number('interval', 1));
});

test.each([
  ['classic', anova],
  ['welch', welchAnova],
] as const)('%s analysis of variance', (name, of) => {
  const item = truth.at('anova', name);
  const result = of(truth.items('anova', 'groups').map(moments));
  expectClose(result.statistic, item.number('statistic'));
  expectClose(result.pValue, item.number('pValue'));
  result.degreesOfFreedom.forEach((degrees, i) => expectClose(degrees, item.number('degreesOfFreedom', i)));
});

test('correlation, its interval, and a matrix', () => {
  const item = truth.at('correlation');
  const result = correlation(joint(item.at('sums')));
  expectClose(result.estimate, item.number('estimate'));
  expectClose(result.pValue, item.number('pValue'));
  expectClose(result.lower, item.number('interval', 0));
  expectClose(result.upper, item.number('interval', 1));
  const matrix = correlationMatrix(item.texts('names'), (x, y) => joint(item.at('pairs', `${x} ${y}`)));
  item.table('matrix').forEach((row, i) => row.forEach((value, j) => expectClose(matrix[i]![j]!, value)));
});

test('linear regression', () => {
  const item = truth.at('linearRegression');
  const result = linearRegression({
    terms: item.texts('terms'),
    products: item.table('products'),
    outcomeProducts: item.numbers('outcomeProducts'),
    outcomeSquares: item.number('outcomeSquares'),
  });
  result.coefficients.forEach(({ estimate, standardError, pValue, statistic, lower, upper }, i) => {
    expectClose(estimate, item.number('coefficients', i));
    expectClose(standardError, item.number('standardErrors', i));
    expectClose(statistic, item.number('statistics', i));
    expectClose(pValue, item.number('pValues', i));
    expectClose(lower, item.number('intervals', i, 0));
    expectClose(upper, item.number('intervals', i, 1));
  });
  for (const key of ['rSquared', 'adjustedRSquared', 'residualVariance'] as const)
    expectClose(result[key], item.number(key));
  expectClose(result.overall.statistic, item.number('overall', 'statistic'));
  expectClose(result.overall.pValue, item.number('overall', 'pValue'));
});

test('terms that depend on each other are refused', () => {
  const normal = {
    terms: ['intercept', 'x', 'twice x'],
    products: [
      [5, 10, 20],
      [10, 30, 60],
      [20, 60, 120],
    ],
    outcomeProducts: [5, 12, 24],
    outcomeSquares: 9,
  };
  expect(() => linearRegression(normal)).toThrow(
    expect.objectContaining({ code: 'STATISTIC_UNDEFINED', message: expect.stringMatching(/depend/) }),
  );
});

const survivalOf = (item: Oracle): SurvivalCounts => ({
  patients: item.number('patients'),
  points: item.items('points').map((point) => ({
    time: point.number('time'),
    events: point.number('events'),
    censored: point.number('censored'),
  })),
});

test.each(['TACS', 'PACS', 'POCS', 'LACS', 'OTH'])('Kaplan-Meier of %s with each interval', (subtype) => {
  const item = truth.at('survival', subtype);
  for (const interval of ['plain', 'log', 'logLog'] as const) {
    kaplanMeier(survivalOf(item), { interval }).forEach((step, i) => {
      expectClose(step.survival, item.number('survival', i));
      expectClose(step.standardError, item.number('standardErrors', i));
      expectClose(step.lower, item.number(interval, i, 0));
      expectClose(step.upper, item.number(interval, i, 1));
    });
  }
});

test('median survival, and none where half survive', () => {
  const item = truth.at('medianSurvival');
  const { median, lower, upper } = medianSurvival(kaplanMeier(survivalOf(item)));
  expect(median).toBe(item.number('median'));
  expect(lower! <= median! && (upper === undefined || median! <= upper)).toBe(true);
  expect(medianSurvival(kaplanMeier(survivalOf(truth.at('survival', 'LACS')))).median).toBeUndefined();
});

test('log-rank of five groups and of two', () => {
  const five = ['TACS', 'PACS', 'POCS', 'LACS', 'OTH'].map((name) => survivalOf(truth.at('survival', name)));
  const result = logRank(five);
  expectClose(result.statistic, truth.number('logRank', 'statistic'));
  expect(result.degreesOfFreedom).toBe(4);
  const two = logRank(truth.items('logRankTwo', 'groups').map(survivalOf));
  expectClose(two.statistic, truth.number('logRankTwo', 'statistic'));
  expectClose(two.pValue, truth.number('logRankTwo', 'pValue'));
});

describe('logistic regression over four hospitals', () => {
  let hospitals: LogisticRow[][];
  beforeAll(async () => {
    const { hospitals: dealt } = await dealTrial(join(__dirname, '..', '..', 'data'), 4);
    hospitals = dealt.map((records) =>
      records.map(({ values }) => ({
        terms: [
          1,
          (Number(values['AGE']) - 57.5) / 41.5,
          Number(values['SEX'] === 'M'),
          Number(values['RCONSC'] === 'D'),
          Number(values['RCONSC'] === 'U'),
          Number(values['RXASP'] === 'Y'),
        ],
        outcome: values['ID14'] === '1',
      })),
    );
  });

  test('reaches the maximum likelihood of the pooled records, and never sees one', async () => {
    const item = truth.at('logisticRegression');
    const asked: (readonly number[])[] = [];
    const fit = await logisticRegression(item.texts('terms'), async (coefficients) => {
      asked.push(coefficients);
      return addAggregates(hospitals.map((rows) => logisticAggregate(rows, coefficients)));
    });
    expect(asked).toHaveLength(fit.releases);
    expectClose(fit.logLikelihood!, item.number('logLikelihood'), 1e-9);
    fit.coefficients.forEach(({ estimate, standardError, pValue, lower, upper }, i) => {
      expectClose(estimate, item.number('coefficients', i), 1e-5);
      expectClose(standardError, item.number('standardErrors', i), 1e-5);
      expectClose(pValue, item.number('pValues', i), 1e-5);
      expectClose(lower, item.number('intervals', i, 0), 1e-5);
      expectClose(upper, item.number('intervals', i, 1), 1e-5);
    });
  });

  test('ends with an error where a term separates the outcome, and for an aggregate that does not fit', async () => {
    const rows = [-2, -1, 1, 2].map((x) => ({ terms: [1, x], outcome: x > 0 }));
    await expect(
      logisticRegression(['intercept', 'x'], async (beta) => logisticAggregate(rows, beta)),
    ).rejects.toMatchObject({ code: 'NOT_CONVERGED', message: expect.stringMatching(/separate/) });
    // Fewer releases than it takes to be sure: every patient with the mark has the outcome, of the others a half.
    const marked = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => ({
      terms: [1, i % 3, Number(i > 5)],
      outcome: i > 5 || i % 2 === 0,
    }));
    await expect(
      logisticRegression(['intercept', 'x', 'mark'], async (beta) => logisticAggregate(marked, beta), {
        maximumReleases: 8,
      }),
    ).rejects.toMatchObject({
      code: 'NOT_CONVERGED',
      message: expect.stringMatching(/8 releases: mark may/),
    });
    // Both terms run away together, so that they seem to depend on each other in the end.
    const both = [-3, -2, -1, 1, 2, 3].map((x) => ({ terms: [1, x, x * x * x], outcome: x > 0 }));
    await expect(
      logisticRegression(['intercept', 'x', 'cube'], async (beta) => logisticAggregate(both, beta)),
    ).rejects.toMatchObject({ code: 'NOT_CONVERGED', message: expect.stringMatching(/separate/) });
    await expect(
      logisticRegression(['intercept', 'x'], async () => ({ gradient: [1], information: [[1]] })),
    ).rejects.toMatchObject({ code: 'RESULT_INVALID' });
    // A level that nobody has separates nobody.
    const lacking = rows.map(({ terms, outcome }, i) => ({
      terms: [...terms, 0],
      outcome: outcome !== i % 2 > 0,
    }));
    await expect(
      logisticRegression(['intercept', 'x', 'SITE=d'], async (beta) => logisticAggregate(lacking, beta)),
    ).rejects.toMatchObject({
      code: 'STATISTIC_UNDEFINED',
      message: 'The regression is not defined: SITE=d is 0 in every patient.',
    });
    const aborted = AbortSignal.abort();
    await expect(
      logisticRegression(['x'], async (beta) => logisticAggregate(rows, beta), { signal: aborted }),
    ).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});

test('the oracles name the versions that they were made with', async () => {
  const pinned = await readFile(join(__dirname, 'oracles', 'requirements.txt'), 'utf8');
  for (const line of pinned.trim().split('\n')) {
    const [name = '', version = ''] = line.split('==');
    expect([name, truth.text('tools', name)]).toEqual([name, version]);
  }
});
