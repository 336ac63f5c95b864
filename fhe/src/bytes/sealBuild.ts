/** SEAL's bytes from words. */
import { FheError } from '../errors.js';
import type { ParameterSet } from '../params/parameterSet.js';
import { Writer } from './fields.js';
import {
  ciphertextWords,
  type CiphertextForm,
  headerLength,
  parmsId,
  type ParsedCiphertext,
  type ParsedPlaintext,
  plaintextWords,
  publicKeyLength,
  relinKeysParts,
} from './sealFormat.js';
import { bytesOf } from './words.js';

function requireCount(words: BigUint64Array, count: number): void {
  if (words.length !== count) throw new FheError('ARGUMENT_INVALID', `${count} words were expected.`);
}

function buildCiphertextLike(set: ParameterSet, form: CiphertextForm, words: BigUint64Array): Uint8Array {
  const count = form.size * form.primes * set.polyModulusDegree;
  requireCount(words, count);
  const total = ciphertextWords + 8 * count;
  return new Writer(total)
    .header(total)
    .put(parmsId(set, form.primes))
    .put(Uint8Array.of(1))
    .u64(form.size)
    .u64(set.polyModulusDegree)
    .u64(form.primes)
    .f64(form.scale)
    .u64(1)
    .header(8 * count + 8 + headerLength)
    .u64(count)
    .put(bytesOf(words)).bytes;
}

/** A ciphertext's bytes from its words (layout as in {@link ParsedCiphertext}). */
export function buildCiphertext(set: ParameterSet, { words, ...form }: ParsedCiphertext): Uint8Array {
  return buildCiphertextLike(set, form, words);
}

/** A public key's bytes from its words: b, then a, over all primes. */
export function buildPublicKey(set: ParameterSet, words: BigUint64Array): Uint8Array {
  return buildCiphertextLike(set, { size: 2, primes: set.primes.length, scale: 1 }, words);
}

/** A relinearisation key's bytes from its L pairs of polynomials. */
export function buildRelinKeys(set: ParameterSet, keys: readonly BigUint64Array[]): Uint8Array {
  if (keys.length !== set.dataPrimes) {
    throw new FheError('ARGUMENT_INVALID', `A relinearisation key has ${set.dataPrimes} parts.`);
  }
  const total = relinKeysParts + set.dataPrimes * publicKeyLength(set);
  const writer = new Writer(total)
    .header(total)
    .put(parmsId(set, set.primes.length))
    .u64(1)
    .u64(set.dataPrimes);
  for (const words of keys) writer.put(buildPublicKey(set, words));
  return writer.bytes;
}

/** A plaintext's bytes from its words, limb by limb, in NTT form. */
export function buildPlaintext(set: ParameterSet, { primes, scale, words }: ParsedPlaintext): Uint8Array {
  return buildPlaintextLike(set, parmsId(set, primes), primes, scale, words);
}

/** A secret key's bytes: a plaintext at key level with scale 1, as SEAL writes it. */
export function buildSecretKey(set: ParameterSet, words: BigUint64Array): Uint8Array {
  return buildPlaintextLike(set, parmsId(set, set.primes.length), set.primes.length, 1, words);
}

function buildPlaintextLike(
  set: ParameterSet,
  id: Uint8Array,
  primes: number,
  scale: number,
  words: BigUint64Array,
): Uint8Array {
  const count = primes * set.polyModulusDegree;
  requireCount(words, count);
  const total = plaintextWords + 8 * count;
  return new Writer(total)
    .header(total)
    .put(id)
    .u64(count)
    .f64(scale)
    .header(8 * count + 8 + headerLength)
    .u64(count)
    .put(bytesOf(words)).bytes;
}
