/**
 * Li, Micciancio, "On the Security of Homomorphic Encryption on Approximate Numbers", EUROCRYPT 2021: who sees exact
 * decryptions of ciphertexts that it made itself computes the secret. The contributor uploads X^-j times a ciphertext
 * of its own, an honest encryption of other data, for every j: the released constants are all coefficients.
 */
import { parseCiphertext, buildCiphertext } from '../../src/bytes/seal.js';
import { releaseShare } from '../../src/release/share.js';
import { inverseModulo, modulo } from '../../src/release/rational.js';
import { wordsOf } from '../../src/bytes/words.js';
import {
  bareShare,
  centre,
  column,
  encrypt,
  holder,
  inverseTransform,
  monomial,
  multiplyWords,
  secretCoefficients,
  stage,
  type Stage,
} from './stage.js';
import { transformSmall } from '../../src/ring/transform.js';

let scene: Stage;
beforeAll(async () => {
  scene = await stage('additive', 2, 2);
});

const committee = [1, 2];

/** X^-j times a ciphertext. */
function rotated(body: Uint8Array, j: number): Uint8Array {
  const parsed = parseCiphertext(body, scene.set);
  const turn = j === 0 ? monomial(scene.set, 0) : monomial(scene.set, -j);
  const half = parsed.words.length / 2;
  const words = new BigUint64Array(parsed.words.length);
  words.set(multiplyWords(scene.set, parsed.words.subarray(0, half), turn));
  words.set(multiplyWords(scene.set, parsed.words.subarray(half), turn), half);
  return buildCiphertext(scene.set, { ...parsed, words });
}

/** What every bare share of the rotated ciphertexts would be, from one transform of c1 s_k: modulo the first prime. */
function allBareShares(body: Uint8Array, index: number): bigint[] {
  const { set } = scene;
  const degree = set.polyModulusDegree;
  const prime = set.primes[0] as bigint;
  const c1 = parseCiphertext(body, set).words.subarray(degree * set.dataPrimes);
  const factor = committee.reduce(
    (product, other) =>
      other === index ? product : product * BigInt(other) * inverseModulo(BigInt(other - index), prime),
    1n,
  );
  return holder(scene, index).use(({ ring, share }) =>
    inverseTransform(set, multiplyWords(set, c1, ring.read(share)), 0).map((word) =>
      modulo(word * factor, prime),
    ),
  );
}

/** The secret modulo the first prime from the coefficients of c1 s: s = (c1 s) / c1, point by point. */
function divide(body: Uint8Array, product: readonly bigint[]): bigint[] {
  const { set } = scene;
  const degree = set.polyModulusDegree;
  const prime = set.primes[0] as bigint;
  const c1 = parseCiphertext(body, set).words.slice(degree * set.dataPrimes);
  const transformed = transformLarge(product);
  const quotient = new BigUint64Array(degree);
  for (let i = 0; i < degree; i++) {
    quotient[i] = ((transformed[i] as bigint) * inverseModulo(c1[i] as bigint, prime)) % prime;
  }
  return inverseTransform(set, quotient, 0).map((word) => centre(word, prime));
}

/** NTT form, modulo the first prime, of coefficients of any size: in digits of 15 bits. */
function transformLarge(coefficients: readonly bigint[]): bigint[] {
  const prime = scene.set.primes[0] as bigint;
  const sums = coefficients.map(() => 0n);
  for (let shift = 0n; shift < 60n; shift += 15n) {
    const digits = Int32Array.from(coefficients, (value) => Number((value >> shift) & 0x7fffn));
    for (const [i, word] of transformSmall(scene.set, digits, 1).entries()) {
      sums[i] = ((sums[i] as bigint) + (word << shift)) % prime;
    }
  }
  return sums;
}

describe('Li and Micciancio (additive)', () => {
  it('read the whole secret from released values without flooding', () => {
    const { body } = encrypt(scene, column(scene.set, 1));
    const [first, second] = committee.map((index) => allBareShares(body, index));
    // These are the shares of the rotated ciphertexts, indeed.
    for (const j of [0, 1, 8191]) {
      expect(first?.[j]).toBe(bareShare(holder(scene, 1), rotated(body, j), committee)[0]);
    }
    const prime = scene.set.primes[0] as bigint;
    const product = (first ?? []).map((value, j) => (value + (second?.[j] ?? 0n)) % prime);
    expect(divide(body, product)).toEqual(secretCoefficients(scene));
  });

  it('read nothing once a few of the values are flooded, the others given to them exactly', () => {
    const { body } = encrypt(scene, column(scene.set, 2));
    const [honest, corrupted] = committee.map((index) => allBareShares(body, index));
    const prime = scene.set.primes[0] as bigint;
    const product = (honest ?? []).map((value, j) => (value + (corrupted?.[j] ?? 0n)) % prime);
    for (let j = 0; j < 32; j++) {
      const ciphertext = rotated(body, 37 * j);
      const request = { ciphertext, committee, sigma: scene.sigma };
      const sum = committee.reduce(
        (total, index) => total + (wordsOf(releaseShare(holder(scene, index), request))[0] as bigint),
        0n,
      );
      product[37 * j] = sum % prime;
    }
    const guess = divide(body, product);
    const truth = secretCoefficients(scene);
    expect(guess.filter((value) => value >= -2n && value <= 2n).length).toBeLessThan(8);
    expect(guess.filter((value, i) => value === truth[i]).length).toBeLessThan(8);
  });
});
