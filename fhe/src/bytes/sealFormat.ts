/**
 * The bytes that SEAL 4.1 saves without compression, as far as both the parser and the builders
 * know them. Every field is compared with the one value that the
 * parameter set allows; only a ciphertext's size, level and scale and the words themselves are free.
 *
 * Little endian. Header of 16 bytes: magic 0xA15E, header size 16, version 4.1, compression 0, two reserved bytes,
 * total size (u64). Source: SEAL 4.1.2, native/src/seal/{serialization,ciphertext,kswitchkeys,plaintext}.
 *
 * A RelinKeys body is header, parms_id, outer count 1, inner count L, then L PublicKeys with headers of their own.
 */
import { blake2b } from '@noble/hashes/blake2.js';
import type { ParameterSet } from '../params/parameterSet.js';
import { bytesOf } from './words.js';

export const headerLength = 16;
/** Where the words of a ciphertext or public key begin. */
export const ciphertextWords = 113;
/** Where the words of a plaintext or secret key begin. */
export const plaintextWords = 88;
/** Where the parts of a relinearisation key begin. */
export const relinKeysParts = 64;

export interface CiphertextForm {
  /** Polynomials: 2, or 3 before relinearisation. */
  readonly size: 2 | 3;
  /** Data primes that are left. */
  readonly primes: number;
  readonly scale: number;
}

export interface ParsedCiphertext extends CiphertextForm {
  /** Aligned copy: polynomial after polynomial, limb after limb, N words each, in SEAL's NTT order. */
  readonly words: BigUint64Array;
}

export interface ParsedPlaintext {
  readonly primes: number;
  readonly scale: number;
  readonly words: BigUint64Array;
}

export interface ParsedPublicKey {
  /** Aligned copy: polynomials b and a over all primes, the special one included. */
  readonly words: BigUint64Array;
}

export interface ParsedRelinKeys {
  /** One pair of polynomials over all primes for each data prime. */
  readonly keys: readonly BigUint64Array[];
}

const parmsIds = new WeakMap<ParameterSet, Uint8Array[]>();

/**
 * SEAL's parms_id of a level: BLAKE2b-256 over the words scheme (2, CKKS), degree, primes, plain modulus 0.
 *
 * @param primes primes of the level; all of them for the key level
 */
export function parmsId(set: ParameterSet, primes: number): Uint8Array {
  let ids = parmsIds.get(set);
  if (!ids) parmsIds.set(set, (ids = []));
  return (ids[primes] ??= blake2b(
    bytesOf(BigUint64Array.of(2n, BigInt(set.polyModulusDegree), ...set.primes.slice(0, primes), 0n)),
    { dkLen: 32 },
  ));
}

/** Length of a public key's body, bytes. */
export function publicKeyLength(set: ParameterSet): number {
  return ciphertextWords + 16 * set.primes.length * set.polyModulusDegree;
}
