/**
 * Flooding noise from a sampler with coarse steps: if it is a multiple of 2^19, the value modulo 2^19 is untouched,
 * and who knows the plaintext reads the ciphertext's noise exactly. The exact sampler has step 1.
 */
import { randomBytes } from 'node:crypto';
import { combineShares } from '../../src/release/combine.js';
import { discreteGaussian } from '../../src/release/gaussian.js';
import { releaseShare, sumOfC0 } from '../../src/release/share.js';
import {
  bareShare,
  centre,
  column,
  encrypt,
  exactValue,
  holder,
  shareBytes,
  stage,
  type Stage,
} from './stage.js';

const committee = [1, 2];
const step = 1n << 19n;
const source = { take: (count: number): Uint8Array => new Uint8Array(randomBytes(count)) };

let scene: Stage;
beforeAll(async () => {
  scene = await stage('additive', 3, 2);
});

/** How often the noise of 20 ciphertexts is read, given how a holder makes its share. */
function timesRead(share: (index: number, ciphertext: Uint8Array) => Uint8Array): number {
  let read = 0;
  for (let i = 0; i < 20; i++) {
    const { body, constant } = encrypt(scene, column(scene.set, i));
    const shares = new Map(committee.map((index) => [index, share(index, body)]));
    const released = combineShares(scene.set, { c0: sumOfC0(body, scene.set), shares });
    const noise = exactValue(scene, body) - constant;
    if (centre(released - constant, step) === noise) read++;
  }
  return read;
}

describe('a coarse noise sampler (additive)', () => {
  it('lets the noise of a ciphertext be read, 20 times of 20', () => {
    const coarse = (index: number, body: Uint8Array): Uint8Array => {
      const noise = step * discreteGaussian(source, scene.sigma / step);
      return shareBytes(
        scene.set,
        bareShare(holder(scene, index), body, committee).map((word) => word + noise),
      );
    };
    expect(timesRead(coarse)).toBe(20);
  });

  it('is not the one of a release, from which it is not read', () => {
    const { sigma } = scene;
    expect(
      timesRead((index, ciphertext) => releaseShare(holder(scene, index), { ciphertext, committee, sigma })),
    ).toBeLessThan(2);
  });
});
