/**
 * A ciphertext that nobody evaluated, its c1 chosen: the constant coefficient of c1 s is a number whose digits are
 * coefficients of the secret, and the flooding noise hides but the lowest bits. A holder that releases only what it
 * evaluated itself from committed blobs does not answer.
 */
import { epochId } from '../ceremonyFixture.js';
import { blobHash, encodeBlob } from '../../src/bytes/blob.js';
import { buildCiphertext, parseCiphertext } from '../../src/bytes/seal.js';
import { combineShares } from '../../src/release/combine.js';
import { requireEvaluated } from '../../src/release/evaluated.js';
import { floorDivide } from '../../src/release/rational.js';
import { releaseShare, sumOfC0 } from '../../src/release/share.js';
import { column, encrypt, holder, monomial, secretCoefficients, stage, type Stage } from './stage.js';

const committee = [1, 3];
const count = 21;
/** A coefficient of the sum of three ternary secrets lies in [-3, 3]. */
const base = 7n;

let scene: Stage;
beforeAll(async () => {
  scene = await stage('additive', 3, 2);
});

/** c0 = 0, c1 = 2^shift times the sum of 7^i X^-i, from coefficient `first` on. */
function chosen(shift: bigint, first: number): Uint8Array {
  const { set } = scene;
  const degree = set.polyModulusDegree;
  const words = new BigUint64Array(2 * set.dataPrimes * degree);
  const c1 = words.subarray(set.dataPrimes * degree);
  for (let i = 0; i < count; i++) {
    const factor = (base ** BigInt(i)) << shift;
    const turn = first + i === 0 ? monomial(set, 0) : monomial(set, -(first + i));
    for (const [at, word] of turn.entries()) {
      c1[at] = ((c1[at] as bigint) + word * factor) % (set.primes[Math.floor(at / degree)] as bigint);
    }
  }
  return buildCiphertext(set, { size: 2, primes: set.dataPrimes, scale: 2 ** set.scaleBits, words });
}

function digits(value: bigint, shift: bigint): bigint[] {
  let rest = floorDivide(value + (1n << (shift - 1n)), 1n << shift);
  return Array.from({ length: count }, () => {
    const digit = (((rest % base) + base + 3n) % base) - 3n;
    rest = (rest - digit) / base;
    return digit;
  });
}

describe('a chosen c1 (additive)', () => {
  // 16 sigma fits below one unit.
  const shiftOf = (sigma: bigint): bigint => BigInt((16n * sigma).toString(2).length);

  it('reads 21 coefficients of the secret of 21, flooded as it is, where the holders release any ciphertext', () => {
    const shift = shiftOf(scene.sigma);
    const ciphertext = chosen(shift, 100);
    const shares = new Map(
      committee.map((index) => [
        index,
        releaseShare(holder(scene, index), { ciphertext, committee, sigma: scene.sigma }),
      ]),
    );
    const value = combineShares(scene.set, { c0: sumOfC0(ciphertext, scene.set), shares });
    expect(digits(value, shift)).toEqual(secretCoefficients(scene).slice(100, 100 + count));
  });

  it('is refused by a holder that compares with its own evaluation, word for word', () => {
    const { set } = scene;
    const blob = (body: Uint8Array): Uint8Array =>
      encodeBlob({ kind: 'ciphertext', parameterSetId: set.id, epochId }, body);
    // The holder adds the committed columns itself.
    const columns = [1, 2].map((seed) => encrypt(scene, column(set, seed)).body);
    using sum = scene.context.loadCiphertext(columns[0] as Uint8Array);
    using other = scene.context.loadCiphertext(columns[1] as Uint8Array);
    scene.context.evaluator.addInPlace(sum, other);
    const own = blob(sum.save());
    const wrong = blob(chosen(shiftOf(scene.sigma), 100));
    const primes = set.dataPrimes;
    const key = holder(scene, 1);
    const refusal = expect.objectContaining({ code: 'RELEASE_REFUSED' }) as Error;
    expect(() => requireEvaluated(key, own, { hash: blobHash(wrong), primes })).toThrow(refusal);
    const altered = parseCiphertext(sum.save(), set);
    altered.words[altered.words.length - 1] = (altered.words.at(-1) as bigint) ^ 1n;
    const claimed = blobHash(blob(buildCiphertext(set, altered)));
    expect(() => requireEvaluated(key, own, { hash: claimed, primes })).toThrow(refusal);
    expect(() => requireEvaluated(key, own, { hash: blobHash(own), primes: 1 })).toThrow(refusal);
    expect(requireEvaluated(key, own, { hash: blobHash(own), primes })).toEqual(sum.save());
  });
});
