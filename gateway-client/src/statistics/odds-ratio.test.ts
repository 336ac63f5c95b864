import { oddsRatio } from './odds-ratio.js';

// Truths: statsmodels 0.14 `Table2x2(table).oddsratio`, `.oddsratio_confint(...)`, `.log_oddsratio_se`.
test('aspirin and death within 14 days in the International Stroke Trial', () => {
  const result = oddsRatio({
    exposedEvent: 872,
    exposedNone: 8848,
    unexposedEvent: 909,
    unexposedNone: 8806,
  });
  expect(result.estimate).toBeCloseTo(0.9547423096740054, 14);
  expect(result.lower).toBeCloseTo(0.8660689142590194, 14);
  expect(result.upper).toBeCloseTo(1.0524946258595764, 14);
  expect(result.logStandardError).toBeCloseTo(0.049734071122481426, 14);
  expect(result.corrected).toBe(false);
});

test('a small table at two levels', () => {
  const table = { exposedEvent: 1, exposedNone: 5, unexposedEvent: 2, unexposedNone: 3 };
  expect(oddsRatio(table).lower).toBeCloseTo(0.018337935245120753, 14);
  expect(oddsRatio(table).upper).toBeCloseTo(4.907858970870056, 13);
  expect(oddsRatio(table, 0.99).lower).toBeCloseTo(0.0076200180749148826, 14);
  expect(oddsRatio(table, 0.99).upper).toBeCloseTo(11.8109956059396, 12);
});

test('half is added to every cell when one is empty', () => {
  const result = oddsRatio({ exposedEvent: 0, exposedNone: 5, unexposedEvent: 2, unexposedNone: 3 });
  expect(result.corrected).toBe(true);
  expect(result.estimate).toBeCloseTo(0.12727272727272726, 14);
  expect(result.lower).toBeCloseTo(0.004606048694573538, 14);
  expect(result.upper).toBeCloseTo(3.5167555059766404, 13);
});

test.each([
  { exposedEvent: 0, exposedNone: 0, unexposedEvent: 2, unexposedNone: 3 },
  { exposedEvent: 0, exposedNone: 4, unexposedEvent: 0, unexposedNone: 3 },
  { exposedEvent: -1, exposedNone: 4, unexposedEvent: 1, unexposedNone: 3 },
  { exposedEvent: 0.5, exposedNone: 4, unexposedEvent: 1, unexposedNone: 3 },
])('no odds ratio for $exposedEvent, $exposedNone, $unexposedEvent, $unexposedNone', (table) => {
  expect(() => oddsRatio(table)).toThrow(expect.objectContaining({ code: 'STATISTIC_UNDEFINED' }));
});
