/** Statistics at their edges beside SciPy, statsmodels and lifelines: see oracles/edges.py. */
import {
  binnedQuantile,
  breslowDay,
  cochranMantelHaenszel,
  correlation,
  kaplanMeier,
  logRank,
  medianSurvival,
  tTest,
  type JointSums,
  type TwoByTwo,
} from '../src/statistics/index.js';
import { expectClose, Oracle } from './oracles/oracle.js';

const truth = Oracle.edges();
const tables = (item: Oracle): TwoByTwo[] =>
  item.items('strata').map((stratum) => ({
    exposedEvent: stratum.number(0, 0),
    exposedNone: stratum.number(0, 1),
    unexposedEvent: stratum.number(1, 0),
    unexposedNone: stratum.number(1, 1),
  }));

test.each([
  ['plain', false],
  ['tarone', true],
] as const)(
  'a stratum with an empty column takes no degree of freedom of Breslow-Day, %s',
  (name, tarone) => {
    const item = truth.at('breslowDay');
    const { statistic, degreesOfFreedom, pValue } = breslowDay(tables(item), { tarone });
    expectClose(statistic, item.number(name, 'statistic'));
    expectClose(pValue, item.number(name, 'pValue'));
    expect(degreesOfFreedom).toBe(item.number(name, 'degreesOfFreedom'));
  },
);

test('a difference below one half is not corrected for continuity', () => {
  const item = truth.at('continuity');
  const { statistic, pValue } = cochranMantelHaenszel(tables(item), { continuity: true });
  expectClose(statistic, item.number('statistic'));
  expectClose(pValue, item.number('pValue'));
});

test('the median is where just half survive, and has no bound where nobody does', () => {
  const deaths = truth.numbers('median', 'deaths');
  const points = deaths.map((events, i) => ({ time: i + 1, events, censored: 0 }));
  const steps = kaplanMeier({ patients: 10, points });
  expect(medianSurvival(steps).median).toBe(truth.number('median', 'median'));
  expect(steps.at(-1)?.survival).toBe(0);
  expect(medianSurvival(steps).upper).toBeUndefined();
});

test('a group that is lost before the first event is not compared', () => {
  const item = truth.at('logRank');
  const groups = item.items('groups').map((group) => ({
    patients: group.number('patients'),
    points: [
      { time: 1, events: 0, censored: 0 },
      ...group.table('points').map(([events = 0, censored = 0], i) => ({ time: i + 2, events, censored })),
    ],
  }));
  const lost = {
    patients: 5,
    points: [1, 2, 3, 4].map((time) => ({ time, events: 0, censored: time === 1 ? 5 : 0 })),
  };
  const result = logRank([...groups, lost]);
  expectClose(result.statistic, item.number('statistic'));
  expectClose(result.pValue, item.number('pValue'));
  expect(result.degreesOfFreedom).toBe(item.number('degreesOfFreedom'));
});

test.each(['equal', 'unequal'] as const)('one-sided intervals of means with %s variances', (variances) => {
  const [first, second] = truth.items('tTest', 'groups').map((item) => ({
    count: item.number('count'),
    mean: item.number('mean'),
    variance: item.number('variance'),
  }));
  const less = tTest(first!, second!, { variances, alternative: 'less', level: 0.9 });
  const greater = tTest(first!, second!, { variances, alternative: 'greater', level: 0.9 });
  expect([less.lower, greater.upper]).toEqual([-Infinity, Infinity]);
  expectClose(less.upper, truth.number('tTest', variances, 'upperOfLess'));
  expectClose(greater.lower, truth.number('tTest', variances, 'lowerOfGreater'));
});

test('one-sided intervals of a correlation', () => {
  const item = truth.at('correlation');
  const names = ['count', 'sum', 'squares', 'otherSum', 'otherSquares', 'product'];
  const sums = Object.fromEntries(names.map((name) => [name, item.number('sums', name)]));
  const less = correlation(sums as unknown as JointSums, { alternative: 'less' });
  const greater = correlation(sums as unknown as JointSums, { alternative: 'greater' });
  expect([less.lower, greater.upper]).toEqual([-1, 1]);
  expectClose(less.upper, item.number('upperOfLess'));
  expectClose(greater.lower, item.number('lowerOfGreater'));
  expectClose(less.pValue, item.number('pOfLess'));
});

test('the p value of almost no difference among a million keeps its digits', () => {
  const { t, degreesOfFreedom, less } = Object.fromEntries(
    ['t', 'degreesOfFreedom', 'less'].map((key) => [key, truth.number('tail', key)]),
  ) as Record<'t' | 'degreesOfFreedom' | 'less', number>;
  // Two groups of one variance, whose means are t standard errors apart.
  const count = degreesOfFreedom / 2 + 1;
  const [first, second] = [t * Math.sqrt(2 / count), 0].map((mean) => ({ count, mean, variance: 1 }));
  const result = tTest(first!, second!, { variances: 'equal', alternative: 'less' });
  expect(Math.abs(result.pValue - less)).toBeLessThan(1e-13);
});

test.each(['0.07', '0.14', '0.28', '0.29', '0.55', '0.56', '0.57'])('quantile %s of 1 to 100', (p) => {
  const bins = Array.from({ length: 100 }, (_, i) => ({ lower: i, upper: i + 1, count: 1 }));
  expect(binnedQuantile(bins, Number(p)).upper).toBe(truth.number('quantiles', p));
});
