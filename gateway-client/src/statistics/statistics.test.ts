/** What the statistics refuse, and what holds for any counts. */
import fc from 'fast-check';
import {
  allOrNone,
  binnedQuantile,
  chiSquare,
  commonOddsRatio,
  correlation,
  distribution,
  exact,
  fisherExact,
  fixedEffect,
  kaplanMeier,
  linearRegression,
  logRank,
  mantelHaenszel,
  mean,
  oddsRatio,
  opportunityComposite,
  patientComposite,
  propagated,
  proportion,
  riskRatio,
  standardDeviation,
  standardError,
  sum,
  tTest,
  anova,
} from './index.js';

const table = (a: number, b: number, c: number, d: number) => ({
  exposedEvent: a,
  exposedNone: b,
  unexposedEvent: c,
  unexposedNone: d,
});
const undefinedError = expect.objectContaining({ code: 'STATISTIC_UNDEFINED' });

test.each<[string, () => unknown]>([
  ['a proportion of nobody', () => proportion(0, 0)],
  ['more events than patients', () => proportion(5, 4)],
  ['half a patient', () => proportion(0.5, 4)],
  ['a level of 95', () => proportion(1, 4, { level: 95 })],
  ['a risk ratio without events', () => riskRatio(table(0, 5, 1, 4))],
  [
    'a table with an empty row',
    () =>
      chiSquare([
        [0, 0],
        [1, 2],
      ]),
  ],
  [
    "Yates' correction of three rows",
    () =>
      chiSquare(
        [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
        { yates: true },
      ),
  ],
  ['a table of one row', () => chiSquare([[1, 2]])],
  [
    'a table too large for the special function',
    () => chiSquare(Array.from({ length: 40 }, () => new Array<number>(41).fill(1))),
  ],
  ["Fisher's test of nobody", () => fisherExact(table(0, 0, 0, 0))],
  ['no stratum', () => mantelHaenszel([])],
  ['one centre', () => fixedEffect([{ estimate: 1, standardError: 1 }])],
  [
    'a t test of one patient',
    () => tTest({ count: 1, mean: 1, variance: 0 }, { count: 9, mean: 1, variance: 1 }),
  ],
  ['groups without variance', () => anova([1, 2].map((m) => ({ count: 5, mean: m, variance: 0 })))],
  [
    'a correlation with a constant',
    () => correlation({ count: 9, sum: 9, squares: 9, otherSum: 1, otherSquares: 4, product: 1 }),
  ],
  [
    'survival of more than there are',
    () => kaplanMeier({ patients: 2, points: [{ time: 1, events: 2, censored: 1 }] }),
  ],
  [
    'survival with times that fall',
    () =>
      kaplanMeier({
        patients: 9,
        points: [2, 1].map((time) => ({ time, events: 1, censored: 0 })),
      }),
  ],
  ['a log-rank test of one group', () => logRank([{ patients: 2, points: [] }])],
  [
    'a log-rank test of groups that are at risk one after the other',
    () =>
      logRank([
        { patients: 2, points: [1, 2].map((time) => ({ time, events: time === 1 ? 0 : 1, censored: 0 })) },
        { patients: 2, points: [1, 2].map((time) => ({ time, events: 0, censored: time === 1 ? 2 : 0 })) },
      ]),
  ],
  [
    'a common odds ratio without end',
    () => mantelHaenszel([table(2, 1, 0, 3), table(4, 2, 0, 1), table(0, 0, 0, 0)]),
  ],
  ['an odds ratio at a level of 95', () => oddsRatio(table(1, 2, 3, 4), 95)],
  [
    'a regression of an outcome that does not vary',
    () =>
      linearRegression({
        terms: ['intercept', 'x'],
        products: [
          [4, 6],
          [6, 14],
        ],
        outcomeProducts: [8, 12],
        outcomeSquares: 16,
      }),
  ],
  ['a distribution of nobody', () => distribution([0, 0])],
  ['a shift on one level', () => commonOddsRatio({ exposed: [3, 0], unexposed: [4, 0] })],
  [
    'a quantile of bins with a gap',
    () =>
      binnedQuantile(
        [
          { lower: 0, upper: 1, count: 1 },
          { lower: 2, upper: 3, count: 1 },
        ],
        0.5,
      ),
  ],
  ['a composite of nothing', () => opportunityComposite([])],
])('refuses %s', (_, statistic) => {
  expect(statistic).toThrow(undefinedError as Error);
});

test.each([
  { exposed: [0, 0, 9], unexposed: [5, 4, 0] },
  { exposed: [8, 19], unexposed: [0, 10] },
  { exposed: [3, 3, 1, 0], unexposed: [3, 0, 0, 0] },
])('$exposed and $unexposed have no common odds ratio', (groups) => {
  expect(() => commonOddsRatio(groups)).toThrow(
    expect.objectContaining({ code: 'NOT_CONVERGED', message: expect.stringContaining('common') }),
  );
});

test('a regression on nothing is the mean with its standard error', () => {
  const fit = linearRegression({
    terms: ['intercept'],
    products: [[4]],
    outcomeProducts: [20],
    outcomeSquares: 120,
  });
  expect(fit.coefficients[0]).toMatchObject({ estimate: 5 });
  expect(fit.coefficients[0]?.standardError).toBeCloseTo(Math.sqrt(20 / 3 / 4), 12);
  expect(fit.overall.pValue).toBeNaN();
});

const cell = fc.integer({ min: 1, max: 400 });

test('the common odds ratio turns over with the groups, and with the scale', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell), { minLength: 2, maxLength: 7 }), (levels) => {
      const exposed = levels.map(([a]) => a);
      const unexposed = levels.map(([, b]) => b);
      const shift = commonOddsRatio({ exposed, unexposed });
      const swapped = commonOddsRatio({ exposed: unexposed, unexposed: exposed });
      const reversed = commonOddsRatio({
        exposed: exposed.toReversed(),
        unexposed: unexposed.toReversed(),
      });
      expect(Math.abs(Math.log(shift.estimate * swapped.estimate))).toBeLessThan(1e-6);
      expect(Math.abs(Math.log(shift.estimate * reversed.estimate))).toBeLessThan(1e-6);
    }),
  );
});

test("Fisher's one-sided p values overlap by the observed table alone", () => {
  fc.assert(
    fc.property(cell, cell, cell, cell, (a, b, c, d) => {
      const [less, greater, both] = (['less', 'greater', 'two-sided'] as const).map(
        (side) => fisherExact(table(a, b, c, d), side).pValue,
      );
      // Up to rounding, where the observed table is all but impossible.
      expect(less! + greater!).toBeGreaterThan(1 - 1e-12);
      expect(both).toBeGreaterThanOrEqual(Math.min(less!, greater!) * (1 - 1e-9));
    }),
  );
});

test('survival is the share of survivors when nobody is lost', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 12 }), (events) => {
      const patients = events.reduce((all, n) => all + n, 10);
      let left = patients;
      const steps = kaplanMeier({
        patients,
        points: events.map((n, i) => ({ time: i + 1, events: n, censored: 0 })),
      });
      steps.forEach(({ survival, standardError, lower, upper }, i) => {
        left -= events[i]!;
        expect(survival).toBeCloseTo(left / patients, 12);
        // Greenwood's is the binomial error then.
        expect(standardError).toBeCloseTo(Math.sqrt((survival * (1 - survival)) / patients), 12);
        expect(lower <= survival && survival <= upper).toBe(true);
      });
    }),
  );
});

test('when everybody dies the last step is 0 without an interval', () => {
  const steps = kaplanMeier({ patients: 3, points: [{ time: 1, events: 3, censored: 0 }] });
  expect(steps[0]).toMatchObject({ survival: 0, lower: 0, upper: 0, standardError: 0 });
});

test('composites of three patients', () => {
  const outcomes = [
    [true, true, null],
    [true, false, false],
    [null, null, null],
  ];
  expect(outcomes.map(patientComposite)).toEqual([
    { share: 1, allMet: true },
    { share: 1 / 3, allMet: false },
    null,
  ]);
  const measures = [
    { name: 'thrombolysis', eligible: 2, met: 2 },
    { name: 'antithrombotics', eligible: 2, met: 1 },
    { name: 'statin', eligible: 1, met: 0 },
  ];
  expect(opportunityComposite(measures)).toBe(0.6);
  expect(allOrNone(1, 2).estimate).toBe(0.5);
});

test('sum, deviation and standard error of four pressures', () => {
  const scaling = { middle: 180, half: 120 };
  const scaled = [120, 140, 160, 200].map((x) => (x - 180) / 120);
  const sums = {
    count: 4,
    sum: { value: scaled.reduce((all, u) => all + u, 0), deviation: 0.01 },
    squares: exact(scaled.reduce((all, u) => all + u * u, 0)),
  };
  expect(sum(sums, scaling).value).toBeCloseTo(620, 10);
  expect(sum(sums, scaling).deviation).toBeCloseTo(1.2, 12);
  const deviation = Math.sqrt(3500 / 3);
  expect(standardDeviation(sums, scaling).value).toBeCloseTo(deviation, 10);
  expect(standardError(sums, scaling).value).toBeCloseTo(deviation / 2, 10);
});

test('errors pass through a statistic as the delta method says', () => {
  const scaling = { middle: 180, half: 120 };
  const sums = { value: -1.5, deviation: 1e-4 };
  const direct = mean({ count: 7, sum: sums }, scaling);
  const moved = propagated([sums], ([value = 0]) => mean({ count: 7, sum: exact(value) }, scaling).value);
  expect(moved.value).toBe(direct.value);
  expect(moved.deviation).toBeCloseTo(direct.deviation, 12);
});
