import { parameterSet } from '../params/parameterSet.js';
import { modulo } from '../release/rational.js';
import { Ring } from './ring.js';
import { centredBinomialFrom, ternaryFrom } from './small.js';
import { smallestRoot, transformSmall } from './transform.js';
import { xofStream } from '../release/flooding.js';

const set = parameterSet('toy');
const degree = set.polyModulusDegree;
const stream = (name: string) => xofStream(new TextEncoder().encode(name));

describe('transformSmall', () => {
  it("puts X^(N/2) where the parameter set's imaginary units are", () => {
    for (const name of ['additive', 'standard', 'deep', 'toy']) {
      const each = parameterSet(name);
      const half = new Int32Array(each.polyModulusDegree);
      half[each.slots] = 1;
      const words = transformSmall(each, half, 1);
      const unit = each.imaginaryUnits[0] as bigint;
      expect(new Set(words.subarray(0, each.slots))).toEqual(new Set([unit]));
      expect(new Set(words.subarray(each.slots))).toEqual(new Set([(each.primes[0] as bigint) - unit]));
      expect(smallestRoot(each.primes[0] as bigint, 4)).toBe(
        unit < (each.primes[0] as bigint) - unit ? unit : (each.primes[0] as bigint) - unit,
      );
    }
  });

  it('turns products of polynomials modulo X^N + 1 into products of words', () => {
    const [a, b] = [ternaryFrom(stream('a'), degree), centredBinomialFrom(stream('b'), degree)];
    const product = new Int32Array(degree);
    for (let i = 0; i < degree; i++) {
      for (let j = 0; j < degree; j++) {
        const term = (a[i] as number) * (b[j] as number);
        const at = (i + j) % degree;
        product[at] = (product[at] as number) + (i + j < degree ? term : -term);
      }
    }
    using ring = new Ring(set);
    const [x, y] = [ring.load(transformSmall(set, a, 2)), ring.load(transformSmall(set, b, 2))];
    ring.multiply(x, x, y);
    expect(ring.read(x)).toEqual(transformSmall(set, product, 2));
  });

  it('refuses another number of coefficients', () => {
    expect(() => transformSmall(set, new Int32Array(degree - 1), 1)).toThrow(
      expect.objectContaining({ code: 'ARGUMENT_INVALID' }),
    );
  });
});

describe('small polynomials', () => {
  it('are ternary and uniform', () => {
    const counts = [0, 0, 0];
    const drawn = ternaryFrom(stream('ternary'), 30_000);
    for (const digit of drawn) counts[digit + 1] = (counts[digit + 1] as number) + 1;
    const chiSquare = counts.reduce((total, count) => total + (count - 10_000) ** 2 / 10_000, 0);
    expect(chiSquare).toBeLessThan(20);
  });

  it('are centred binomial, of variance 21/2', () => {
    const drawn = centredBinomialFrom(stream('binomial'), 20_000);
    const square = drawn.reduce((total, value) => total + value * value, 0) / drawn.length;
    expect(Math.abs(square / 10.5 - 1)).toBeLessThan(0.05);
    expect(Math.abs(drawn.reduce((a, b) => a + b, 0))).toBeLessThan(5 * Math.sqrt(10.5 * drawn.length));
    expect(Math.max(...drawn)).toBeLessThanOrEqual(21);
    expect(modulo(BigInt(Math.min(...drawn)), 43n)).toBeGreaterThanOrEqual(22n);
  });
});
