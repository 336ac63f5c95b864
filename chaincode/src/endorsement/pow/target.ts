/**
 * Targets: a hash counts as work when it, read as a big-endian number, is below the target. The compact form is
 * Bitcoin's `nBits` (exponent byte, three bytes of mantissa), in its one canonical encoding.
 */
import { z } from 'zod';

/** Work is measured against all 256-bit hashes. */
export const HASH_SPACE = 1n << 256n;

/** @returns undefined unless the number is the canonical encoding of a target between 1 and 2^256 - 1. */
export function expandTarget(compact: number): bigint | undefined {
  const exponent = compact >>> 24;
  const mantissa = BigInt(compact & 0x007fffff);
  const target =
    exponent <= 3 ? mantissa >> BigInt(8 * (3 - exponent)) : mantissa << BigInt(8 * (exponent - 3));
  return target > 0n && target < HASH_SPACE && compactTarget(target) === compact ? target : undefined;
}

/** The largest compact target that is not above the given one. */
export function compactTarget(target: bigint): number {
  let exponent = Math.ceil(target.toString(16).length / 2);
  let mantissa = Number(
    exponent <= 3 ? target << BigInt(8 * (3 - exponent)) : target >> BigInt(8 * (exponent - 3)),
  );
  // The mantissa's highest bit is a sign.
  if (mantissa & 0x00800000) {
    mantissa >>= 8;
    exponent += 1;
  }
  return ((exponent << 24) | mantissa) >>> 0;
}

/** How many hashes a block takes on average. */
export const expectedHashes = (target: bigint): number => Number(HASH_SPACE) / Number(target);

/** The target whose blocks take so many hashes on average. */
export function targetOf(hashes: number): number {
  const scaled = BigInt(Math.round(hashes * 1024));
  return compactTarget((HASH_SPACE * 1024n) / (scaled > 1024n ? scaled : 1025n));
}

/** A compact target as eight hexadecimal digits. */
export const compactText = z
  .string()
  .regex(/^[0-9a-f]{8}$/, 'must be a compact target of eight hexadecimal digits')
  .refine((text) => expandTarget(Number.parseInt(text, 16)) !== undefined, 'is no canonical compact target');

export const parseCompact = (text: string): number => Number.parseInt(text, 16);
export const formatCompact = (compact: number): string => compact.toString(16).padStart(8, '0');
