import { shake256 } from '@noble/hashes/sha3.js';
import { type ByteStream, discreteGaussian, uniformBelow } from './gaussian.js';

/** Fixed streams, so that the statistics below are the same in every run. */
function stream(name: string): ByteStream {
  const xof = shake256.create({}).update(new TextEncoder().encode(name));
  return { take: (count) => xof.xof(count) };
}

describe('discreteGaussian', () => {
  it.each([1n, 3n, 10n])('fits the distribution at deviation %s (chi-square)', (sigma) => {
    const source = stream(`chi-square ${sigma}`);
    const count = 20_000;
    const reach = Number(3n * sigma);
    const weight = (x: number): number => Math.exp(-(x * x) / (2 * Number(sigma * sigma)));
    let total = 0;
    for (let x = -40 * reach; x <= 40 * reach; x++) total += weight(x);
    const seen = new Map<number, number>();
    for (let i = 0; i < count; i++) {
      const x = Math.max(-reach - 1, Math.min(reach + 1, Number(discreteGaussian(source, sigma))));
      seen.set(x, (seen.get(x) ?? 0) + 1);
    }
    let statistic = 0;
    let inside = 0;
    for (let x = -reach; x <= reach; x++) {
      const expected = (count * weight(x)) / total;
      inside += expected;
      statistic += ((seen.get(x) ?? 0) - expected) ** 2 / expected;
    }
    const tail = (count - inside) / 2;
    for (const x of [-reach - 1, reach + 1]) statistic += ((seen.get(x) ?? 0) - tail) ** 2 / tail;
    const freedom = 2 * reach + 2;
    expect(statistic).toBeLessThan(freedom + 4.5 * Math.sqrt(2 * freedom));
    expect(statistic).toBeGreaterThan(freedom - 4.5 * Math.sqrt(2 * freedom));
  });

  it('has the deviation, mean and parity of a large deviation, with step 1', () => {
    const source = stream('large');
    const sigma = 1n << 100n;
    const count = 2_000;
    const values = Array.from({ length: count }, () => discreteGaussian(source, sigma));
    const scaled = values.map((value) => Number(value) / Number(sigma));
    const mean = scaled.reduce((a, b) => a + b, 0) / count;
    const variance = scaled.reduce((a, b) => a + b * b, 0) / count;
    expect(Math.abs(mean)).toBeLessThan(4.5 / Math.sqrt(count));
    expect(Math.abs(variance - 1)).toBeLessThan(4.5 * Math.sqrt(2 / count));
    // The low byte is uniform: a coarse step would show here.
    const bins = new Array<number>(8).fill(0);
    for (const value of values) {
      const bin = Number(BigInt.asUintN(3, value));
      bins[bin] = (bins[bin] ?? 0) + 1;
    }
    const chiSquare = bins.reduce((total, n) => total + (n - count / 8) ** 2 / (count / 8), 0);
    expect(chiSquare).toBeLessThan(30);
  });

  it('refuses a deviation below 1', () => {
    expect(() => discreteGaussian(stream('x'), 0n)).toThrow(
      expect.objectContaining({ code: 'ARGUMENT_INVALID' }),
    );
  });
});

describe('uniformBelow', () => {
  it('covers [0, bound) evenly', () => {
    const source = stream('uniform');
    const bins = new Array<number>(7).fill(0);
    for (let i = 0; i < 7_000; i++) {
      const bin = Number(uniformBelow(source, 7n));
      bins[bin] = (bins[bin] ?? 0) + 1;
    }
    const chiSquare = bins.reduce((total, n) => total + (n - 1000) ** 2 / 1000, 0);
    expect(chiSquare).toBeLessThan(30);
  });
});
