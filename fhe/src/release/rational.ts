/** Exact rationals and the modular arithmetic of single public words. */
import { FheError } from '../errors.js';

/** An exact rational; the denominator is positive. In JSON both are decimal strings. */
export interface Rational {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/** Floor of a / b for b > 0. */
export function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b < 0n ? quotient - 1n : quotient;
}

/** The nearest double to a / b for b > 0, to within one unit in the last place. */
export function toNumber(a: bigint, b: bigint): number {
  const magnitude = a < 0n ? -a : a;
  // 64 significant bits of the quotient, then one rounding.
  const shift = BigInt(Math.max(0, 64 + b.toString(2).length - magnitude.toString(2).length));
  const value = Number((magnitude << shift) / b) / 2 ** Number(shift);
  return a < 0n ? -value : value;
}

export function powerModulo(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  let square = modulo(base, modulus);
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}

/** Inverse modulo a prime; for public values. */
export function inverseModulo(value: bigint, prime: bigint): bigint {
  const reduced = modulo(value, prime);
  if (reduced === 0n) throw new FheError('ARGUMENT_INVALID', 'Zero has no inverse.');
  return powerModulo(reduced, prime - 2n, prime);
}

/** The residue in [0, modulus). */
export function modulo(value: bigint, modulus: bigint): bigint {
  const residue = value % modulus;
  return residue < 0n ? residue + modulus : residue;
}
