import { parameterSet } from '../params/parameterSet.js';
import { FheError } from '../errors.js';
import { Ring } from './ring.js';
import { randomPolynomial, referencePolynomial } from './uniform.js';

const set = parameterSet('toy');
const degree = set.polyModulusDegree;

/** Random words with the extremes 0, 1, q - 1 in every combination at the front. */
function samples(): [BigUint64Array, BigUint64Array] {
  const a = randomPolynomial(set, set.primes.length);
  const b = randomPolynomial(set, set.primes.length);
  for (const [limb, prime] of set.primes.entries()) {
    const extremes = [0n, 1n, prime - 1n, prime / 2n];
    for (const [i, x] of extremes.entries()) {
      for (const [k, y] of extremes.entries()) {
        a[limb * degree + 4 * i + k] = x;
        b[limb * degree + 4 * i + k] = y;
      }
    }
  }
  return [a, b];
}

function expectWords(actual: BigUint64Array, expected: (i: number, prime: bigint) => bigint): void {
  const wrong = Array.from(actual.keys()).filter((i) => {
    const prime = set.primes[Math.floor(i / degree)] as bigint;
    return actual[i] !== ((expected(i, prime) % prime) + prime) % prime;
  });
  expect(wrong).toEqual([]);
}

describe('Ring', () => {
  it('agrees with integer arithmetic on random and extreme words', () => {
    using ring = new Ring(set);
    const [a, b] = samples();
    const [p, q, out] = [ring.load(a), ring.load(b), ring.zero()];
    const at = (words: BigUint64Array, i: number): bigint => words[i] as bigint;

    ring.add(out, p, q);
    expectWords(ring.read(out), (i) => at(a, i) + at(b, i));
    ring.subtract(out, p, q);
    expectWords(ring.read(out), (i) => at(a, i) - at(b, i));
    ring.negate(out, p);
    expectWords(ring.read(out), (i) => -at(a, i));
    ring.multiplyAdd(out, p, q);
    expectWords(ring.read(out), (i) => at(a, i) * at(b, i) - at(a, i));
    ring.multiply(out, p, q);
    expectWords(ring.read(out), (i) => at(a, i) * at(b, i));
    ring.horner(out, 32n, p);
    expectWords(ring.read(out), (i) => 32n * at(a, i) * at(b, i) + at(a, i));
    ring.multiply(out, p, q);
    ring.scaleAddLimb(out, p, 12345678901234567n, 2);
    expectWords(ring.read(out), (i) => {
      const scaled = Math.floor(i / degree) === 2 ? 12345678901234567n * at(a, i) : 0n;
      return at(a, i) * at(b, i) + scaled;
    });
  });

  it('sums products over a range of points', () => {
    using ring = new Ring(set);
    const [a, b] = samples();
    const [p, q] = [ring.load(a), ring.load(b)];
    const from = 2 * degree + 3;
    let expected = 0n;
    for (let i = from; i < 3 * degree; i++) expected += (a[i] as bigint) * (b[i] as bigint);
    expect(ring.dot(p, q, 2, 3, degree)).toBe(expected % (set.primes[2] as bigint));
  });

  it('reduces the largest products of every prime of every set', () => {
    for (const name of ['additive', 'standard', 'deep', 'toy']) {
      using ring = new Ring(parameterSet(name));
      for (const [limb, prime] of parameterSet(name).primes.entries()) {
        for (const [x, y] of [
          [prime - 1n, prime - 1n],
          [prime - 1n, prime - 2n],
          [1n << 59n, (1n << 59n) + 1n],
          [prime - 1n, 1n],
        ] as const) {
          expect(ring.multiplyWords(x, y, limb)).toBe((x * y) % prime);
        }
      }
    }
  });

  it('gives released memory back as zero, and refuses work once disposed of', () => {
    const ring = new Ring(set);
    const p = ring.load(randomPolynomial(set, 2));
    ring.release(p);
    const again = ring.zero(2);
    expect(again.offset).toBe(p.offset);
    expect(ring.read(again).some((word) => word !== 0n)).toBe(false);
    ring[Symbol.dispose]();
    expect(() => ring.zero()).toThrow(FheError);
    expect(() => ring.read(again)).toThrow(FheError);
  });

  it('overwrites its memory when it is disposed of', () => {
    const ring = new Ring(set);
    const p = ring.load(randomPolynomial(set, 5));
    const memory = (ring as unknown as { kernel: { memory: { buffer: ArrayBuffer } } }).kernel.memory;
    expect(new Uint8Array(memory.buffer, p.offset, 64).some((byte) => byte !== 0)).toBe(true);
    ring[Symbol.dispose]();
    expect(new Uint8Array(memory.buffer).some((byte) => byte !== 0)).toBe(false);
  });
});

describe('referencePolynomial', () => {
  const seed = new Uint8Array(32).fill(7);
  const epoch = { epochId: 'e', attempt: 0 };

  it('is the same for the same seed, epoch, attempt and label, and for no others', () => {
    const words = referencePolynomial(set, seed, epoch, 'publicKey');
    expect(referencePolynomial(set, seed.slice(), { ...epoch }, 'publicKey')).toEqual(words);
    for (const other of [
      referencePolynomial(set, seed, epoch, 'relin:0'),
      referencePolynomial(set, seed, { ...epoch, attempt: 1 }, 'publicKey'),
      referencePolynomial(set, seed, { ...epoch, epochId: 'f' }, 'publicKey'),
      referencePolynomial(set, new Uint8Array(32), epoch, 'publicKey'),
    ]) {
      expect(other[0]).not.toBe(words[0]);
    }
  });

  it('spreads evenly below the primes', () => {
    const words = referencePolynomial(parameterSet('standard'), seed, epoch, 'publicKey');
    const bins = new Array<number>(16).fill(0);
    for (const word of words) {
      const bin = Number(word >> 56n);
      bins[bin] = (bins[bin] ?? 0) + 1;
    }
    const expected = words.length / 16;
    const chiSquare = bins.reduce((total, count) => total + (count - expected) ** 2 / expected, 0);
    // 15 degrees of freedom: 50 has probability 1e-5; the input is fixed.
    expect(chiSquare).toBeLessThan(50);
  });
});
