/**
 * Exact discrete Gaussian over the integers, in integer arithmetic alone.
 *
 * Source: Canonne, Kamath, Steinke, "The Discrete Gaussian for Differential Privacy", NeurIPS 2020, algorithms 1 to 3.
 * A sampler in floating point, or one with a step above 1, lets the ciphertext noise be read from a release.
 *
 * The running time depends on the sample (rejection); the paper's section on timing applies.
 */
import { FheError } from '../errors.js';

/** A stream of uniform bytes. */
export interface ByteStream {
  take(count: number): Uint8Array;
}

/** Version of the order in which the sampler consumes its stream; a share's noise depends on it. */
export const samplerVersion = 1;

/** Uniform in [0, bound): as many bytes as the bound's bits need, big endian, top bits masked, by rejection. */
export function uniformBelow(stream: ByteStream, bound: bigint): bigint {
  if (bound <= 1n) return 0n;
  const bits = (bound - 1n).toString(2).length;
  const bytes = Math.ceil(bits / 8);
  const excess = BigInt(8 * bytes - bits);
  for (;;) {
    const value = BigInt(`0x${Buffer.from(stream.take(bytes)).toString('hex')}`) >> excess;
    if (value < bound) return value;
  }
}

function bernoulli(stream: ByteStream, numerator: bigint, denominator: bigint): boolean {
  return uniformBelow(stream, denominator) < numerator;
}

/** True with probability exp(-numerator / denominator) (algorithm 1). */
function bernoulliExp(stream: ByteStream, numerator: bigint, denominator: bigint): boolean {
  for (let whole = numerator / denominator; whole > 0n; whole--) {
    if (!bernoulliExpFraction(stream, 1n, 1n)) return false;
  }
  return bernoulliExpFraction(stream, numerator % denominator, denominator);
}

/** The case of an exponent from 0 to 1: the parity of the first failure among Bernoulli(gamma / k), k = 1, 2, ... */
function bernoulliExpFraction(stream: ByteStream, numerator: bigint, denominator: bigint): boolean {
  let k = 1n;
  while (bernoulli(stream, numerator, denominator * k)) k++;
  return (k & 1n) === 1n;
}

/** Discrete Laplace of integer scale t: P(x) proportional to exp(-|x| / t) (algorithm 2 with s = 1). */
function discreteLaplace(stream: ByteStream, t: bigint): bigint {
  for (;;) {
    const u = uniformBelow(stream, t);
    if (!bernoulliExp(stream, u, t)) continue;
    let v = 0n;
    while (bernoulliExp(stream, 1n, 1n)) v++;
    const magnitude = u + t * v;
    const negative = bernoulli(stream, 1n, 2n);
    if (negative && magnitude === 0n) continue;
    return negative ? -magnitude : magnitude;
  }
}

/**
 * One sample of the discrete Gaussian: P(x) proportional to exp(-x^2 / (2 sigma^2)) (algorithm 3).
 *
 * @param sigma integer, at least 1
 * @throws FheError ARGUMENT_INVALID
 */
export function discreteGaussian(stream: ByteStream, sigma: bigint): bigint {
  if (sigma < 1n)
    throw new FheError('ARGUMENT_INVALID', 'The deviation of a discrete Gaussian is at least 1.');
  const t = sigma + 1n;
  const variance = sigma * sigma;
  const denominator = 2n * variance * t * t;
  for (;;) {
    const y = discreteLaplace(stream, t);
    // (|y| - sigma^2 / t)^2 / (2 sigma^2), over the common denominator
    const distance = (y < 0n ? -y : y) * t - variance;
    if (bernoulliExp(stream, distance * distance, denominator)) return y;
  }
}
