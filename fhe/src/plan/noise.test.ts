import fc from 'fast-check';
import { parameterSet } from '../params/index.js';
import { ceilSqrt, scientific } from './integers.js';
import { NoiseModel } from './noise.js';

const standard = parameterSet('standard');
const units = (deviation: bigint) => Number(deviation) / 2 ** 16;

test.each([
  [1, 30],
  [5, 67],
  [15, 117],
  [32, 171],
])('a fresh ciphertext under %i holders has the deviation %i', (holders, deviation) => {
  expect(Math.round(units(new NoiseModel(standard, holders).fresh().deviation))).toBe(deviation);
});

test('after one product and rescaling the deviation is that of the formula', () => {
  const noise = new NoiseModel(standard, 5);
  const fresh = noise.fresh();
  const product = noise.product(fresh, fresh);
  const sigma = units(fresh.deviation);
  // Both noises taken as one, relative to the scale: 2 sigma 2^70.
  expect(units(product.deviation) / 2 ** 70).toBeCloseTo(2 * sigma, 6);
  const rescaled = noise.rescaled(product, 4);
  expect(units(rescaled.deviation) / 2 ** 10 / (2 * sigma)).toBeCloseTo(1, 4);
  expect(rescaled.scale).toEqual({ numerator: 1n << 140n, denominator: standard.primes[3] });
});

test('independent batches add variances, and relinearisation hardly shows under an unrescaled product', () => {
  const noise = new NoiseModel(standard, 5);
  const product = noise.product(noise.fresh(), noise.fresh());
  const sum = noise.sum(product, 10_000, { times: 16, primes: 3 });
  expect(Number(sum.deviation) / Number(product.deviation)).toBeCloseTo(100, 8);
});

test('the flooding deviation is sqrt(12 tau) 2^(s/2) B', () => {
  const noise = new NoiseModel(standard, 5);
  expect(Number(noise.flooding(1n << 60n)) / 2 ** 60).toBeCloseTo(Math.sqrt(12 * 2 ** 20) * 2 ** 20, 0);
});

test('flooding is rounded up to a whole number', () => {
  const noise = new NoiseModel(standard, 5);
  fc.assert(
    fc.property(fc.bigInt({ min: 1n, max: 1n << 100n }), (bound) => {
      const square = (12n * bound * bound) << 60n;
      const sigma = noise.flooding(bound);
      expect(sigma * sigma >= square && (sigma - 1n) ** 2n < square).toBe(true);
    }),
  );
});

test('square roots are rounded up', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 1n << 300n }), (n) => {
      const root = ceilSqrt(n);
      expect(root * root >= n && (root === 0n || (root - 1n) ** 2n < n)).toBe(true);
    }),
  );
});

test('decimal figures are the fraction rounded up', () => {
  expect(scientific(1n, 3n)).toBe('3.33334e-1');
  expect(scientific(1n, 1n)).toBe('1.00000e0');
  expect(scientific(9_999_999n, 1n)).toBe('1.00000e7');
  expect(scientific(123_456n, 10n ** 9n)).toBe('1.23456e-4');
  const positive = fc.bigInt({ min: 1n, max: 1n << 120n });
  fc.assert(
    fc.property(positive, positive, (up, down) => {
      const ratio = Number(scientific(up, down)) / (Number(up) / Number(down));
      expect(ratio).toBeGreaterThan(1 - 1e-12);
      expect(ratio).toBeLessThan(1 + 1.01e-5);
    }),
  );
});
