/**
 * Two real columns in one plaintext: x + X^(N/2) y, x in the real and y in the imaginary half of the slots. In NTT
 * form X^(N/2) is a square root of -1 modulo each prime on the first half of SEAL's order and its negative on the
 * second; the parameter set fixes the root's sign.
 */
import { buildPlaintext, parsePlaintext } from '../bytes/seal.js';
import { type SealContext, type SealPlaintext } from '../seal/index.js';
import { barrett, type CiphertextKernel } from './kernel.js';

/** @param primes the level that both are encoded at */
export function encodePair(
  context: SealContext,
  kernel: CiphertextKernel,
  [real, imaginary]: readonly [Float64Array, Float64Array],
  primes: number,
): SealPlaintext {
  const { set } = context;
  const scale = 2 ** set.scaleBits;
  const degree = set.polyModulusDegree;
  const [a, b] = [real, imaginary].map((values) => {
    using plaintext = context.encode(values, scale, primes);
    return kernel.load(parsePlaintext(plaintext.save(), set).words);
  }) as [number, number];
  for (let limb = 0; limb < primes; limb++) {
    const at = 8 * limb * degree;
    const prime = set.primes[limb] as bigint;
    const unit = set.imaginaryUnits[limb] as bigint;
    kernel.functions.joinHalves(a + at, a + at, b + at, degree, unit, prime, barrett(prime));
  }
  const words = kernel.words(a, primes * degree).slice();
  kernel.release(a, primes * degree);
  kernel.release(b, primes * degree);
  return context.loadPlaintext(buildPlaintext(set, { primes, scale, words }));
}
