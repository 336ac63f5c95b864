/** Statistics of counts beside SciPy and statsmodels, on the International Stroke Trial. */
import {
  breslowDay,
  binnedQuantile,
  chiSquare,
  cochranMantelHaenszel,
  commonOddsRatio,
  fisherExact,
  fixedEffect,
  mantelHaenszel,
  oddsRatio,
  proportion,
  riskDifference,
  riskRatio,
  twoProportionTest,
  type ProportionMethod,
  type TwoByTwo,
} from '../src/statistics/index.js';
import { expectClose, Oracle } from './oracles/oracle.js';

const truth = Oracle.ist();
const twoByTwo = ([exposed, unexposed]: number[][]): TwoByTwo => ({
  exposedEvent: exposed![0]!,
  exposedNone: exposed![1]!,
  unexposedEvent: unexposed![0]!,
  unexposedNone: unexposed![1]!,
});
const cases = (...keys: string[]) => truth.items(...keys).map((item, i): [number, Oracle] => [i, item]);

const methods: ProportionMethod[] = [
  'wilson',
  'wilsonCorrected',
  'wald',
  'agrestiCoull',
  'clopperPearson',
  'jeffreys',
];
test.each(cases('proportion'))('every interval of proportion %i', (_, item) => {
  const [events, patients, level] = ['events', 'patients', 'level'].map((key) => item.number(key));
  for (const method of methods) {
    const { estimate, lower, upper } = proportion(events!, patients!, { level: level!, method });
    expectClose(estimate, events! / patients!);
    const [low, high] = item.numbers(method);
    expectClose(lower, low!);
    expectClose(upper, high!);
  }
});

test.each(cases('twoByTwo'))('every statistic of 2x2 table %i', (_, item) => {
  const counts = item.table('table');
  const table = twoByTwo(counts);
  const pearson = chiSquare(counts);
  expectClose(pearson.statistic, item.number('chiSquare', 'statistic'));
  expectClose(pearson.pValue, item.number('chiSquare', 'pValue'));
  expectClose(pearson.cramersV, item.number('chiSquare', 'cramersV'));
  item
    .table('chiSquare', 'expected')
    .forEach((row, i) => row.forEach((value, j) => expectClose(pearson.expected[i]![j]!, value)));
  const yates = chiSquare(counts, { yates: true });
  expectClose(yates.statistic, item.number('yates', 'statistic'));
  expectClose(yates.pValue, item.number('yates', 'pValue'));
  for (const alternative of ['two-sided', 'less', 'greater'] as const)
    expectClose(fisherExact(table, alternative).pValue, item.number('fisher', alternative));
  const z = twoProportionTest(table);
  expectClose(z.statistic, item.number('zTest', 'statistic'));
  expectClose(z.pValue, item.number('zTest', 'pValue'));
  const odds = oddsRatio(table);
  [odds.estimate, odds.lower, odds.upper].forEach((value, i) =>
    expectClose(value, item.number('oddsRatio', i)),
  );
  const risk = riskRatio(table);
  [risk.estimate, risk.lower, risk.upper, risk.logStandardError].forEach((value, i) =>
    expectClose(value, item.number('riskRatio', i)),
  );
  for (const method of ['wald', 'newcombe', 'agrestiCaffo'] as const) {
    const { estimate, lower, upper } = riskDifference(table, { method });
    expectClose(estimate, item.number('riskDifference', 'estimate'));
    expectClose(lower, item.number('riskDifference', method, 0));
    expectClose(upper, item.number('riskDifference', method, 1));
  }
});

test('the chi-square test of a larger table', () => {
  const item = truth.at('chiSquare');
  const result = chiSquare(item.table('table'));
  expect(result.degreesOfFreedom).toBe(8);
  expectClose(result.statistic, item.number('statistic'));
  expectClose(result.pValue, item.number('pValue'));
  expectClose(result.cramersV, item.number('cramersV'));
});

test('Mantel-Haenszel over strata, with one that has an empty cell', () => {
  const item = truth.at('mantelHaenszel');
  const strata = item.items('strata').map((stratum) => twoByTwo(stratum.table()));
  const pooled = mantelHaenszel(strata);
  expectClose(pooled.estimate, item.number('estimate'));
  expectClose(pooled.lower, item.number('interval', 0));
  expectClose(pooled.upper, item.number('interval', 1));
  expectClose(pooled.logStandardError, item.number('logStandardError'));
  const tests: [string, { statistic: number; pValue: number }][] = [
    ['test', cochranMantelHaenszel(strata)],
    ['continuity', cochranMantelHaenszel(strata, { continuity: true })],
    ['breslowDay', breslowDay(strata)],
    ['tarone', breslowDay(strata, { tarone: true })],
  ];
  for (const [name, { statistic, pValue }] of tests) {
    expectClose(statistic, item.number(name, 'statistic'));
    expectClose(pValue, item.number(name, 'pValue'));
  }
  // A centre without patients says nothing.
  const empty = twoByTwo([
    [0, 0],
    [0, 0],
  ]);
  expect(mantelHaenszel([...strata, empty])).toEqual(pooled);
});

test('the pooled estimate within five countries', () => {
  const item = truth.at('fixedEffect');
  const studies = item.items('studies').map((study) => ({
    estimate: study.number('estimate'),
    standardError: study.number('standardError'),
  }));
  const pooled = fixedEffect(studies);
  expectClose(pooled.estimate, item.number('estimate'));
  expectClose(pooled.standardError, item.number('standardError'));
  expectClose(pooled.lower, item.number('interval', 0));
  expectClose(pooled.upper, item.number('interval', 1));
  pooled.weights.forEach((weight, i) => expectClose(weight, item.number('weights', i)));
  expectClose(pooled.heterogeneity.statistic, item.number('q'));
  expectClose(pooled.heterogeneity.pValue, item.number('qPValue'));
  expectClose(pooled.heterogeneity.iSquared, item.number('iSquared'));
});

test('the shift of the outcome at six months, by maximum likelihood', () => {
  const item = truth.at('commonOddsRatio');
  const distributions = { exposed: item.numbers('exposed'), unexposed: item.numbers('unexposed') };
  const shift = commonOddsRatio(distributions);
  expectClose(shift.estimate, item.number('estimate'), 1e-5);
  expectClose(shift.logStandardError, item.number('logStandardError'), 1e-5);
  expectClose(shift.lower, item.number('interval', 0), 1e-5);
  expectClose(shift.upper, item.number('interval', 1), 1e-5);
  expectClose(shift.pValue, item.number('pValue'), 1e-5);
  // Of two levels it is the odds ratio itself, and a level that nobody has changes nothing.
  const two = commonOddsRatio({ exposed: [8848, 0, 872], unexposed: [8806, 0, 909] });
  const odds = oddsRatio({ exposedEvent: 872, exposedNone: 8848, unexposedEvent: 909, unexposedNone: 8806 });
  expectClose(two.estimate, odds.estimate);
  expectClose(two.logStandardError, odds.logStandardError);
});

test('quantiles lie within the bounds that binned counts give', () => {
  const item = truth.at('quantile');
  const edges = item.numbers('edges');
  const bins = item.numbers('counts').map((count, i) => ({ lower: edges[i]!, upper: edges[i + 1]!, count }));
  for (const p of [0.05, 0.25, 0.5, 0.75, 0.95]) {
    const { lower, upper, estimate } = binnedQuantile(bins, p);
    const sample = item.number('type1', String(p));
    expect(lower < sample && sample <= upper).toBe(true);
    expect(lower <= estimate && estimate <= upper).toBe(true);
  }
});
