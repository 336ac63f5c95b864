/** What a release shows is distributed as the theory says. Thresholds lie five deviations out. */
import { bareShare, encrypt, exactValue, holder, stage, type Stage } from './attacks/stage.js';
import { reconstructSecret } from './ceremonyFixture.js';
import { wordsOf } from '../src/bytes/words.js';
import { combineShares } from '../src/release/combine.js';
import { releaseShare, sumOfC0 } from '../src/release/share.js';

const committee = [1, 2, 4];
let scene: Stage;
beforeAll(async () => {
  scene = await stage('toy', 4, 3);
});

/** Chi-square of values below a modulus against uniform, in deviations of the statistic. */
function deviations(values: Iterable<bigint>, modulus: bigint, bins: number): number {
  const counts = new Array<number>(bins).fill(0);
  let total = 0;
  for (const value of values) {
    const bin = Number((value * BigInt(bins)) / modulus);
    counts[bin] = (counts[bin] as number) + 1;
    total++;
  }
  const expected = total / bins;
  const statistic = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  return Math.abs(statistic - (bins - 1)) / Math.sqrt(2 * (bins - 1));
}

const zeros = (): Uint8Array => encrypt(scene, new Float64Array(scene.set.slots)).body;

describe('t - 1 holders (toy)', () => {
  it('see a uniform polynomial in place of the secret', () => {
    const { set, keys } = scene;
    const words = reconstructSecret(keys.slice(0, 2));
    for (let limb = 0; limb < set.dataPrimes; limb++) {
      const part = words.subarray(limb * set.polyModulusDegree, (limb + 1) * set.polyModulusDegree);
      expect(deviations(part, set.primes[limb] as bigint, 64)).toBeLessThan(5);
    }
    // With one holder more there is no choice left: every t give the same.
    expect(reconstructSecret(keys.slice(1, 4))).toEqual(reconstructSecret(keys.slice(0, 3)));
  });

  it.each([[[1, 2]], [[1, 4]], [[2, 4]], [[1]]])('of a committee, %s, open a uniform number', (present) => {
    const { set } = scene;
    const opened = Array.from({ length: 640 }, () => {
      const body = zeros();
      const shares = present.map((index) => bareShare(holder(scene, index), body, committee)[0] as bigint);
      const c0 = wordsOf(sumOfC0(body, set))[0] as bigint;
      return shares.reduce((total, share) => total + share, c0) % (set.primes[0] as bigint);
    });
    expect(deviations(opened, set.primes[0] as bigint, 16)).toBeLessThan(5);
  });

  it('and every single share as it is sent are uniform', () => {
    const { set } = scene;
    const sent = Array.from({ length: 640 }, () => {
      const request = { ciphertext: zeros(), committee, sigma: 1n << 30n };
      return wordsOf(releaseShare(holder(scene, 2), request))[0] as bigint;
    });
    expect(deviations(sent, set.primes[0] as bigint, 16)).toBeLessThan(5);
  });
});

describe('noise', () => {
  const sigma = 1n << 44n;
  const privacySigma = 3n << 50n;

  /** Sum of squares of a released value's error over its variance: chi-square with `count` degrees of freedom. */
  function chiSquare(count: number, withPrivacy: boolean): number {
    const { set } = scene;
    const one = Number(sigma) ** 2 + (withPrivacy ? Number(privacySigma) ** 2 : 0);
    let statistic = 0;
    for (let i = 0; i < count; i++) {
      const body = zeros();
      const request = { ciphertext: body, committee, sigma, ...(withPrivacy && { privacySigma }) };
      const shares = new Map(committee.map((index) => [index, releaseShare(holder(scene, index), request)]));
      const error = combineShares(set, { c0: sumOfC0(body, set), shares }) - exactValue(scene, body);
      statistic += Number(error) ** 2 / (committee.length * one);
    }
    return statistic;
  }

  it.each([
    ['flooding', false],
    ['flooding and differential privacy', true],
  ])('of %s has t times the variance of one holder (chi-square)', (_, withPrivacy) => {
    const count = 800;
    expect(Math.abs(chiSquare(count, withPrivacy) - count)).toBeLessThan(5 * Math.sqrt(2 * count));
  });

  it('of two thirds of the variance would not pass for the whole', () => {
    const count = 800;
    const statistic = (2 / 3) * chiSquare(count, false);
    expect(Math.abs(statistic - count)).toBeGreaterThan(5 * Math.sqrt(2 * count));
  });
});
