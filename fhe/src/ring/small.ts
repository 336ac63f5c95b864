/** Small public polynomials from a stream of bytes: ternary ones, and errors as SEAL draws them. */
import type { ByteStream } from '../release/gaussian.js';

/** Uniform ternary coefficients: of each byte two bits at a time, the value 3 dropped. */
export function ternaryFrom(stream: ByteStream, degree: number): Int32Array {
  const coefficients = new Int32Array(degree);
  let count = 0;
  while (count < degree) {
    for (const byte of stream.take(degree - count)) {
      for (let shift = 0; shift < 8 && count < degree; shift += 2) {
        const digit = (byte >> shift) & 3;
        if (digit < 3) coefficients[count++] = digit - 1;
      }
    }
  }
  return coefficients;
}

/** Centred binomial coefficients of variance 21/2: the ones of 21 bits less the ones of 21 others, from 6 bytes. */
export function centredBinomialFrom(stream: ByteStream, degree: number): Int32Array {
  const bytes = stream.take(6 * degree);
  const at = (i: number): number => bytes[i] as number;
  return Int32Array.from({ length: degree }, (_, i) => {
    const first = at(6 * i) | (at(6 * i + 1) << 8) | ((at(6 * i + 2) & 31) << 16);
    const second = at(6 * i + 3) | (at(6 * i + 4) << 8) | ((at(6 * i + 5) & 31) << 16);
    return ones(first) - ones(second);
  });
}

function ones(value: number): number {
  let count = 0;
  for (let rest = value; rest > 0; rest &= rest - 1) count++;
  return count;
}
