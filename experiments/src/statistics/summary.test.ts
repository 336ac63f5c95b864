import { fitLine, fitPower, summarize } from './summary.js';

test('the interval of a median is that of the tables', () => {
  // Order statistics 2 and 9 of 10, 6 and 15 of 20 (Conover, Practical Nonparametric Statistics, 3.2).
  const range = (count: number) => Array.from({ length: count }, (_, i) => count - i);
  expect(summarize(range(10))).toEqual({ median: 5.5, low: 2, high: 9, count: 10 });
  expect(summarize(range(20))).toEqual({ median: 10.5, low: 6, high: 15, count: 20 });
  expect(summarize(range(4))).toMatchObject({ low: 1, high: 4 });
});

test('laws are found again', () => {
  const line = fitLine([1, 2, 4, 8].map((x) => [x, 3 + 2 * x] as const));
  expect(line.slope).toBeCloseTo(2);
  expect(line.intercept).toBeCloseTo(3);
  const power = fitPower([1, 2, 4, 8].map((x) => [x, 5 * x ** 0.5] as const));
  expect(power.exponent).toBeCloseTo(0.5);
  expect(power.factor).toBeCloseTo(5);
  expect(power.rSquared).toBeCloseTo(1);
});
