/** What a release shows is distributed as the theory says. */
import { bareShare, encrypt, exactValue, holder, stage, type Stage } from './attacks/stage.js';
import { reconstructSecret } from './ceremonyFixture.js';
import { limit, normalScore, uniformScore } from './chiSquare.js';
import { wordsOf } from '../src/bytes/words.js';
import { combineShares } from '../src/release/combine.js';
import { releaseShare, sumOfC0 } from '../src/release/share.js';

const committee = [1, 2, 4];
let scene: Stage;
beforeAll(async () => {
  scene = await stage('toy', 4, 3);
});

const zeros = (): Uint8Array => encrypt(scene, new Float64Array(scene.set.slots)).body;

describe('t - 1 holders (toy)', () => {
  it('see a uniform polynomial in place of the secret', () => {
    const { set, keys } = scene;
    const words = reconstructSecret(keys.slice(0, 2));
    for (let limb = 0; limb < set.dataPrimes; limb++) {
      const part = words.subarray(limb * set.polyModulusDegree, (limb + 1) * set.polyModulusDegree);
      expect(Math.abs(uniformScore(part, set.primes[limb] as bigint, 64))).toBeLessThan(limit);
    }
    // With one holder more there is no choice left: every t give the same.
    expect(reconstructSecret(keys.slice(1, 4))).toEqual(reconstructSecret(keys.slice(0, 3)));
  });

  it.each([[[1, 2]], [[1, 4]], [[2, 4]], [[1]]])('of a committee, %s, open a uniform number', (present) => {
    const { set } = scene;
    const opened = Array.from({ length: 320 }, () => {
      const body = zeros();
      const shares = present.map((index) => bareShare(holder(scene, index), body, committee)[0] as bigint);
      const c0 = wordsOf(sumOfC0(body, set))[0] as bigint;
      return shares.reduce((total, share) => total + share, c0) % (set.primes[0] as bigint);
    });
    expect(Math.abs(uniformScore(opened, set.primes[0] as bigint, 16))).toBeLessThan(limit);
  });

  it('and every single share as it is sent are uniform', () => {
    const { set } = scene;
    const sent = Array.from({ length: 320 }, () => {
      const request = { ciphertext: zeros(), committee, sigma: 1n << 30n };
      return wordsOf(releaseShare(holder(scene, 2), request))[0] as bigint;
    });
    expect(Math.abs(uniformScore(sent, set.primes[0] as bigint, 16))).toBeLessThan(limit);
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
    const count = 400;
    expect(Math.abs(normalScore(chiSquare(count, withPrivacy), count))).toBeLessThan(limit);
  });

  it('of two thirds of the variance would not pass for the whole', () => {
    const count = 400;
    const statistic = (2 / 3) * chiSquare(count, false);
    expect(normalScore(statistic, count)).toBeLessThan(-limit / 2);
  });
});
