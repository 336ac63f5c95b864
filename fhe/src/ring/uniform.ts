/**
 * Uniform polynomials. A word is 8 bytes of the source, little endian, without its top four bits; words not below the
 * prime are dropped (one in 10^12 or fewer), the next word takes their place.
 */
import { createHash, randomFillSync } from 'node:crypto';
import { bytesOf, wordsOf } from '../bytes/words.js';
import { fromHex } from '../bytes/canonical.js';
import { FheError } from '../errors.js';
import type { ParameterSet } from '../params/parameterSet.js';

const domain = 'strokeshare/fhe/common-reference-polynomial/v1';

/** Moves the words that are below the prime to the front of `words`, masked to 60 bits; returns how many. */
function acceptWords(words: BigUint64Array, prime: bigint): number {
  const halves = new Uint32Array(words.buffer, words.byteOffset, 2 * words.length);
  const low = Number(prime & 0xffffffffn);
  const high = Number(prime >> 32n);
  let kept = 0;
  for (let i = 0; i < halves.length; i += 2) {
    const bottom = halves[i] as number;
    const top = (halves[i + 1] as number) & 0x0fffffff;
    if (top > high || (top === high && bottom >= low)) continue;
    halves[kept] = bottom;
    halves[kept + 1] = top;
    kept += 2;
  }
  return kept / 2;
}

/** N words below a prime from a source of bytes: `source(count)` gives the first `count` bytes of one stream. */
function limbFrom(source: (count: number) => Uint8Array, degree: number, prime: bigint): BigUint64Array {
  for (let spare = 8; ; spare *= 2) {
    const words = wordsOf(source(8 * (degree + spare)));
    if (acceptWords(words, prime) >= degree) return words.slice(0, degree);
  }
}

/**
 * A common reference polynomial, the same for everybody who has the seed.
 *
 * Limb j is drawn, by the rule above, from SHAKE-256 of: the ASCII text
 * "strokeshare/fhe/common-reference-polynomial/v1", a zero byte, the seed (32 bytes), the parameter set id (32
 * bytes), the attempt (u32, little endian), j (u32, little endian), the epoch id and the label as ASCII, each behind
 * its length in one byte. The words are taken as the polynomial's NTT values in SEAL's order: uniform either way.
 *
 * @param label the polynomial's purpose, such as "publicKey" or "relin:2"
 * @returns words over all primes, the special one included
 */
export function referencePolynomial(
  set: ParameterSet,
  seed: Uint8Array,
  epoch: { readonly epochId: string; readonly attempt: number },
  label: string,
): BigUint64Array {
  if (seed.length !== 32) throw new FheError('ARGUMENT_INVALID', 'A seed has 32 bytes.');
  const degree = set.polyModulusDegree;
  const words = new BigUint64Array(set.primes.length * degree);
  const numbers = new Uint8Array(8);
  const view = new DataView(numbers.buffer);
  view.setUint32(0, epoch.attempt, true);
  for (const [limb, prime] of set.primes.entries()) {
    view.setUint32(4, limb, true);
    const source = (outputLength: number): Uint8Array => {
      const hash = createHash('shake256', { outputLength });
      hash.update(`${domain}\0`).update(seed).update(fromHex(set.id)).update(numbers);
      for (const text of [epoch.epochId, label])
        hash.update(Uint8Array.of(text.length)).update(text, 'ascii');
      return hash.digest();
    };
    words.set(limbFrom(source, degree, prime), limb * degree);
  }
  return words;
}

/** A uniform secret polynomial over the first `limbs` primes, from the system's generator. The caller erases it. */
export function randomPolynomial(set: ParameterSet, limbs: number): BigUint64Array {
  const degree = set.polyModulusDegree;
  const words = new BigUint64Array(limbs * degree);
  for (const [limb, prime] of set.primes.slice(0, limbs).entries()) {
    const source = (count: number): Uint8Array => randomFillSync(new Uint8Array(count));
    const drawn = limbFrom(source, degree, prime);
    words.set(drawn, limb * degree);
    bytesOf(drawn).fill(0);
  }
  return words;
}
