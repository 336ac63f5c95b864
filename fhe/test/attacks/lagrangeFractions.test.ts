/**
 * A corrupted holder outside the committee. Lagrange factors are fractions: with t = 2, committee {1, 2} and f(3)
 * known, 3 S_1 - 2 f(3) + 4 c0 = 4 v + 3 e, and so v modulo 3 is read however large the noise e is; thousands of such
 * equations modulo 3 give the secret. Shares of zero inside the committee take the single share's meaning away.
 */
import { randomBytes } from 'node:crypto';
import { wordsOf } from '../../src/bytes/words.js';
import { liftCentred } from '../../src/release/combine.js';
import { discreteGaussian } from '../../src/release/gaussian.js';
import { inverseModulo, modulo } from '../../src/release/rational.js';
import { lagrange, releaseShare, sumOfC0 } from '../../src/release/share.js';
import { bareShare, column, encrypt, exactValue, holder, shareBytes, stage, type Stage } from './stage.js';

const committee = [1, 2];
const count = 40;
const source = { take: (length: number): Uint8Array => new Uint8Array(randomBytes(length)) };

let scene: Stage;
beforeAll(async () => {
  scene = await stage('additive', 3, 2);
});

/** How often v modulo 3 is read from holder 1's share and holder 3's key. */
function timesRead(share: (ciphertext: Uint8Array) => Uint8Array): number {
  const { set } = scene;
  const moduli = set.primes.slice(0, set.dataPrimes);
  let read = 0;
  for (let i = 0; i < count; i++) {
    const { body } = encrypt(scene, column(set, i));
    const own = bareShare(holder(scene, 3), body, [1, 3]);
    const [first, c0] = [wordsOf(share(body)), wordsOf(sumOfC0(body, set))];
    const known = moduli.map((prime, limb) => {
      const point = (own[limb] as bigint) * inverseModulo(lagrange([1, 3], 3, prime), prime);
      return 3n * (first[limb] as bigint) - 2n * point + 4n * (c0[limb] as bigint);
    });
    if (modulo(liftCentred(known, moduli), 3n) === modulo(exactValue(scene, body), 3n)) read++;
  }
  return read;
}

describe('a corrupted holder outside the committee (additive)', () => {
  it('reads every value modulo 3 where a share is lambda <c1, s> + e alone', () => {
    const bare = (body: Uint8Array): Uint8Array => {
      const noise = discreteGaussian(source, scene.sigma);
      return shareBytes(
        scene.set,
        bareShare(holder(scene, 1), body, committee).map((word) => word + noise),
      );
    };
    expect(timesRead(bare)).toBe(count);
  });

  it('does no better than guessing with shares of zero', () => {
    const { sigma } = scene;
    const masked = (ciphertext: Uint8Array): Uint8Array =>
      releaseShare(holder(scene, 1), { ciphertext, committee, sigma });
    // A third of 40 by guessing; 30 or more has probability below 10^-7.
    expect(timesRead(masked)).toBeLessThan(30);
  });
});
