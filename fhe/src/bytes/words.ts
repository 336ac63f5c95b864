/**
 * Words: unsigned 64-bit integers, little endian, limb by limb (N words for each prime). JavaScript's typed arrays
 * take the machine's order, and every machine that runs Node is little endian; this is checked once.
 */
import { FheError } from '../errors.js';

if (new Uint8Array(new Uint16Array([1]).buffer)[0] !== 1) {
  throw new FheError('RUNTIME_UNSUPPORTED', 'This machine is big endian, which is not supported.');
}

/** An aligned copy of bytes as words. A Buffer's own `slice` would be a view of its pool. */
export function wordsOf(bytes: Uint8Array): BigUint64Array {
  return new BigUint64Array(new Uint8Array(bytes).buffer);
}

/** The bytes of words, a view. */
export function bytesOf(words: BigUint64Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}

/**
 * Whether every word of a limb is below its prime. Compares 32-bit halves: a loop over `bigint` values would be
 * many times slower. For public data: the time depends on the words.
 */
export function wordsBelow(words: BigUint64Array, prime: bigint): boolean {
  const halves = new Uint32Array(words.buffer, words.byteOffset, words.length * 2);
  const low = Number(prime & 0xffffffffn);
  const high = Number(prime >> 32n);
  for (let i = 0; i < halves.length; i += 2) {
    const top = halves[i + 1] as number;
    if (top > high || (top === high && (halves[i] as number) >= low)) return false;
  }
  return true;
}

/** Whether words, as consecutive polynomials over the given primes, are all below their primes. */
export function polynomialsBelow(words: BigUint64Array, degree: number, primes: readonly bigint[]): boolean {
  const size = degree * primes.length;
  for (let offset = 0; offset < words.length; offset += size) {
    for (const [i, prime] of primes.entries()) {
      if (!wordsBelow(words.subarray(offset + i * degree, offset + (i + 1) * degree), prime)) return false;
    }
  }
  return true;
}
