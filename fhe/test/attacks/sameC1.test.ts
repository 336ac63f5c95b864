/** The same c1 asked for twice, at two levels, by two committees: noise that is fresh averages out, equal noise cancels. */
import { randomBytes } from 'node:crypto';
import { buildCiphertext, parseCiphertext } from '../../src/bytes/seal.js';
import { wordsOf } from '../../src/bytes/words.js';
import { liftCentred } from '../../src/release/combine.js';
import { discreteGaussian } from '../../src/release/gaussian.js';
import { answerRelease, type ReleaseEntry, ReleaseJournal } from '../../src/release/journal.js';
import { inverseModulo } from '../../src/release/rational.js';
import { lagrange, releaseShare } from '../../src/release/share.js';
import { bareShare, centre, column, encrypt, holder, shareBytes, stage, type Stage } from './stage.js';

const source = { take: (count: number): Uint8Array => new Uint8Array(randomBytes(count)) };
const refused = (code: string): unknown => expect.objectContaining({ code });

let scene: Stage;
let body: Uint8Array;
beforeAll(async () => {
  scene = await stage('additive', 3, 2);
  ({ body } = encrypt(scene, column(scene.set, 1)));
});

const moduli = (primes = scene.set.dataPrimes): bigint[] => [...scene.set.primes.slice(0, primes)];
/** A share less the exact one: the noise. */
const noiseIn = (share: Uint8Array, exact: readonly bigint[]): bigint =>
  liftCentred(
    Array.from(wordsOf(share), (word, i) => word - (exact[i] as bigint)),
    moduli(share.length / 8),
  );

describe('the same c1 asked for twice (additive)', () => {
  const committee = [1, 2];

  it('gives its value away to who asks often, where every answer has fresh noise', () => {
    const exact = bareShare(holder(scene, 1), body, committee);
    let total = 0n;
    for (let i = 0; i < 900; i++) {
      const noise = discreteGaussian(source, scene.sigma);
      total += noiseIn(
        shareBytes(
          scene.set,
          exact.map((word) => word + noise),
        ),
        exact,
      );
    }
    // 900 answers: a thirtieth of the deviation is left.
    expect(Math.abs(Number(total / 900n)) / Number(scene.sigma)).toBeLessThan(0.2);
  });

  it('gives the same bytes each time, from the store, across restarts, and is charged once', async () => {
    const key = holder(scene, 1);
    const request = { ciphertext: body, committee, sigma: scene.sigma };
    const stored: ReleaseEntry[] = [ReleaseJournal.opening(key)];
    const persist = (entry: ReleaseEntry): Promise<void> => {
      stored.push(entry);
      return Promise.resolve();
    };
    const answers = new Set<string>();
    for (let i = 0; i < 5; i++) {
      const journal = ReleaseJournal.restore(key, JSON.parse(JSON.stringify(stored)) as unknown[]);
      for (let again = 0; again < 3; again++) {
        answers.add(Buffer.from(await answerRelease(key, journal, request, persist)).toString('hex'));
      }
      expect(journal.coefficientsOf(committee)).toBe(1);
    }
    expect(answers.size).toBe(1);
    expect(stored).toHaveLength(3);
  });
});

describe('the same c1 asked for at two levels (additive)', () => {
  const committee = [1, 2];

  /** The ciphertext without its last prime: the words of the first one stay. */
  function lower(): Uint8Array {
    const { words, scale } = parseCiphertext(body, scene.set);
    const degree = scene.set.polyModulusDegree;
    const kept = new BigUint64Array(2 * degree);
    kept.set(words.subarray(0, degree));
    kept.set(words.subarray(2 * degree, 3 * degree), degree);
    return buildCiphertext(scene.set, { size: 2, primes: 1, scale: Math.min(scale, 2 ** 59), words: kept });
  }

  it('has an independent noise at each level, so that their mean has less, where nobody keeps account', () => {
    const { sigma } = scene;
    // Both members answer, and their shares of zero cancel.
    const noises = [body, lower()].map((ciphertext) => {
      const sums = committee.map((index) => {
        const share = releaseShare(holder(scene, index), { ciphertext, committee, sigma });
        return noiseIn(share.slice(0, 8), bareShare(holder(scene, index), ciphertext, committee));
      });
      return centre((sums[0] as bigint) + (sums[1] as bigint), scene.set.primes[0] as bigint);
    });
    expect(noises[0]).not.toBe(noises[1]);
    for (const noise of noises) expect(Math.abs(Number(noise)) / Number(sigma)).toBeLessThan(12);
  });

  it('is refused at the second one, and after a restart', () => {
    const key = holder(scene, 2);
    const { sigma } = scene;
    const stored: ReleaseEntry[] = [ReleaseJournal.opening(key)];
    const journal = ReleaseJournal.restore(key, stored);
    const { entry } = journal.charge(key, { ciphertext: body, committee, sigma });
    stored.push(entry as ReleaseEntry);
    for (const each of [journal, ReleaseJournal.restore(key, stored)]) {
      for (const changed of [{ ciphertext: lower() }, { sigma: sigma + 1n }, { privacySigma: sigma }]) {
        expect(() => each.charge(key, { ciphertext: body, committee, sigma, ...changed })).toThrow(
          refused('RELEASE_REFUSED') as Error,
        );
      }
      expect(each.coefficientsOf(committee)).toBe(1);
    }
  });
});

describe('the same c1 asked for by two committees (additive)', () => {
  /** What an attacker computes if both shares carry one noise: (S1 - S2) / (lambda1 - lambda2) = N^-1 <c1, s_k>. */
  const difference = (first: Uint8Array, second: Uint8Array): bigint[] =>
    moduli().map((prime, i) => {
      const factors = [
        [1, 2],
        [1, 3],
      ].map((committee) => lagrange(committee, 1, prime));
      const shares = (wordsOf(first)[i] as bigint) - (wordsOf(second)[i] as bigint);
      const quotient = shares * inverseModulo((factors[0] as bigint) - (factors[1] as bigint), prime);
      return ((quotient % prime) + prime) % prime;
    });
  const truth = (): bigint[] =>
    moduli().map((prime, i) => {
      const share = bareShare(holder(scene, 1), body, [1, 2])[i] as bigint;
      return (share * inverseModulo(lagrange([1, 2], 1, prime), prime)) % prime;
    });

  it("opens a holder's part of the value exactly, where the noise does not depend on the committee", () => {
    const noise = discreteGaussian(source, scene.sigma);
    const shares = [
      [1, 2],
      [1, 3],
    ].map((committee) =>
      shareBytes(
        scene.set,
        bareShare(holder(scene, 1), body, committee).map((word) => word + noise),
      ),
    );
    expect(difference(shares[0] as Uint8Array, shares[1] as Uint8Array)).toEqual(truth());
  });

  it('does not with noise and shares of zero of its own for each, and both are charged', () => {
    const key = holder(scene, 1);
    const { sigma } = scene;
    const journal = ReleaseJournal.restore(key, [ReleaseJournal.opening(key)]);
    const shares = [
      [1, 2],
      [1, 3],
    ].map((committee) => {
      const request = { ciphertext: body, committee, sigma };
      journal.charge(key, request);
      return releaseShare(key, request);
    });
    expect(difference(shares[0] as Uint8Array, shares[1] as Uint8Array)).not.toEqual(truth());
    expect([journal.coefficientsOf([1, 2]), journal.coefficientsOf([1, 3]), journal.committees]).toEqual([
      1, 1, 2,
    ]);
  });
});
