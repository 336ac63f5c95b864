/**
 * Flooding noise as a pseudorandom function of what is released, so that asking again gives the same share, and
 * nothing that an asker can vary without changing c1 gives fresh noise.
 *
 * seed = HMAC-SHA-256(key, canonical JSON of {@link NoiseContext} with its label); the sampler reads SHAKE-256(seed).
 */
import { createHmac } from 'node:crypto';
import { shake256 } from '@noble/hashes/sha3.js';
import { canonicalJson } from '../bytes/canonical.js';
import { type ByteStream, discreteGaussian, samplerVersion } from './gaussian.js';

/** What the noise of one share depends on. Never cell names, c0 or saved bytes. */
export interface NoiseContext {
  readonly epochId: string;
  readonly shareVersion: number;
  /** Sorted. */
  readonly committee: readonly number[];
  /** Index of the coefficient: 0 or N/2. */
  readonly coefficient: number;
  /** Number of primes at the release level. */
  readonly primes: number;
  /** Hex SHA-256 of c1's exact words at the release level. */
  readonly c1: string;
}

/**
 * One value of flooding noise. The deviation is part of the label: with the same stream at two deviations the
 * difference of two shares would give both noises away.
 */
export function floodingNoise(key: Uint8Array, context: NoiseContext, sigma: bigint): bigint {
  return noise('strokeshare/fhe/flooding/v1', key, context, sigma);
}

/** One value of differential privacy noise: independent of the flooding noise by its label. */
export function privacyNoise(key: Uint8Array, context: NoiseContext, sigma: bigint): bigint {
  return noise('strokeshare/fhe/differential-privacy/v1', key, context, sigma);
}

/** Privacy noise of a released vector, entry by entry from one stream. */
export function vectorNoise(key: Uint8Array, context: unknown, sigma: bigint, length: number): bigint[] {
  const label = canonicalJson({ context, label: 'strokeshare/fhe/vector-privacy/v1', samplerVersion });
  const stream = xofStream(createHmac('sha256', key).update(label).digest());
  return Array.from({ length }, () => discreteGaussian(stream, sigma));
}

function noise(purpose: string, key: Uint8Array, context: NoiseContext, sigma: bigint): bigint {
  const label = canonicalJson({ ...context, label: purpose, samplerVersion, sigma: String(sigma) });
  return discreteGaussian(xofStream(createHmac('sha256', key).update(label).digest()), sigma);
}

/** SHAKE-256 of a seed as a stream. */
export function xofStream(seed: Uint8Array): ByteStream {
  const xof = shake256.create({}).update(seed);
  return { take: (count) => xof.xof(count) };
}
