import fc from 'fast-check';
import { exact, toleranceOf } from './measured.js';
import { mean, sampleVariance } from './moments.js';

const scaling = { middle: 180, half: 120 };
const sumsOf = (values: number[]) => {
  const scaled = values.map((value) => (value - scaling.middle) / scaling.half);
  return {
    count: values.length,
    sum: exact(scaled.reduce((sum, u) => sum + u, 0)),
    squares: exact(scaled.reduce((sum, u) => sum + u * u, 0)),
  };
};

test('mean and sample variance of numbers that can be checked by hand', () => {
  const sums = sumsOf([120, 140, 160, 200]);
  expect(mean(sums, scaling).value).toBeCloseTo(155, 12);
  // Deviations -35, -15, 5, 45: squares 1225 + 225 + 25 + 2025 = 3500, over 3.
  expect(sampleVariance(sums, scaling).value).toBeCloseTo(3500 / 3, 10);
});

test('equal numbers have variance 0 up to rounding', () => {
  expect(Math.abs(sampleVariance(sumsOf([150, 150, 150]), scaling).value)).toBeLessThan(1e-9);
});

test('agrees with the two-pass formula on random pressures', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 60, max: 300 }), { minLength: 2, maxLength: 400 }), (values) => {
      const average = values.reduce((sum, x) => sum + x, 0) / values.length;
      const variance = values.reduce((sum, x) => sum + (x - average) ** 2, 0) / (values.length - 1);
      expect(mean(sumsOf(values), scaling).value).toBeCloseTo(average, 9);
      expect(Math.abs(sampleVariance(sumsOf(values), scaling).value - variance)).toBeLessThan(1e-8);
    }),
  );
});

test('the stated error is the one that errors in the sums cause', () => {
  const sums = sumsOf([120, 140, 160, 200, 210]);
  const step = 1e-6;
  const slope = (change: Partial<typeof sums>) =>
    (sampleVariance({ ...sums, ...change }, scaling).value - sampleVariance(sums, scaling).value) / step;
  const bySum = slope({ sum: exact(sums.sum.value + step) });
  const bySquares = slope({ squares: exact(sums.squares.value + step) });
  const noisy = {
    ...sums,
    sum: { ...sums.sum, deviation: 0.003 },
    squares: { ...sums.squares, deviation: 0.002 },
  };
  expect(sampleVariance(noisy, scaling).deviation).toBeCloseTo(
    Math.hypot(bySum * 0.003, bySquares * 0.002),
    4,
  );
  expect(mean(noisy, scaling).deviation).toBeCloseTo((120 * 0.003) / 5, 12);
});

test('an empty group has no mean, one patient no variance', () => {
  const undefinedError: unknown = expect.objectContaining({ code: 'STATISTIC_UNDEFINED' });
  expect(() => mean({ count: 0, sum: exact(0) }, scaling)).toThrow(undefinedError as Error);
  expect(() => sampleVariance(sumsOf([150]), scaling)).toThrow(undefinedError as Error);
});

test('the tolerance is the larger of 1e-6 relative and eight deviations', () => {
  expect(toleranceOf(exact(-160))).toBeCloseTo(1.6e-4, 15);
  expect(toleranceOf({ value: 160, deviation: 0.001 })).toBeCloseTo(0.008, 15);
});
