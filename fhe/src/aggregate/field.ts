/** Integers modulo the Mersenne prime 2^61 - 1, as words of 64 bits. */
import type { ByteStream } from '../release/gaussian.js';

export const fieldPrime = (1n << 61n) - 1n;

/** A uniform element: 8 bytes, little endian, without the top three bits; the value 2^61 - 1 is dropped. */
export function fieldElement(stream: ByteStream): bigint {
  for (;;) {
    const bytes = stream.take(8);
    const value = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true) & fieldPrime;
    if (value !== fieldPrime) return value;
  }
}

/** The integer of least magnitude with a residue. */
export function centred(value: bigint): bigint {
  return value > fieldPrime / 2n ? value - fieldPrime : value;
}
