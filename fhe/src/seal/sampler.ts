/**
 * Secrets from node-seal, in a WebAssembly instance that never loads a byte from elsewhere. SEAL's own samplers make
 * uniform ternary polynomials and small errors; there is no sampler of ours for them.
 *
 * The instance is shared by those who use it at the same time and dropped with the last one, so that what SEAL's
 * heap still holds of a secret goes with it (a garbage-collected erasure: JavaScript promises no better).
 */
import type { KeyGenerator } from 'node-seal/throws' with { 'resolution-mode': 'import' };
import { wordsOf } from '../bytes/words.js';
import { FheError } from '../errors.js';
import type { ParameterSet } from '../params/parameterSet.js';
import { callSeal, SealInstance } from './instance.js';

const secretKeyHeader = 88;
const publicKeyHeader = 113;

interface Shared {
  readonly instance: Promise<SealInstance>;
  users: number;
}
const shared = new Map<string, Shared>();

/** A small error as e = -(b + a s), from a key pair that is used for nothing else. */
export interface ErrorSource {
  readonly s: BigUint64Array;
  readonly b: BigUint64Array;
  readonly a: BigUint64Array;
}

export class SecretSampler implements Disposable {
  private disposed = false;

  private constructor(
    private readonly instance: SealInstance,
    private readonly release: () => void,
  ) {}

  static async acquire(set: ParameterSet): Promise<SecretSampler> {
    const entry = shared.get(set.id) ?? { instance: SealInstance.start(set), users: 0 };
    shared.set(set.id, entry);
    entry.users++;
    const release = (): void => {
      if (--entry.users === 0) shared.delete(set.id);
    };
    try {
      return new SecretSampler(await entry.instance, release);
    } catch (error) {
      release();
      throw error;
    }
  }

  /** A uniform ternary polynomial over all primes, in NTT form. The caller erases it. */
  ternary(): BigUint64Array {
    return this.withGenerator((generator) => this.secretOf(generator));
  }

  /** A fresh key pair (s, (b, a)) over all primes, in NTT form: the small error is -(b + a s). */
  errorSource(): ErrorSource {
    return this.withGenerator((generator) => {
      const key = callSeal('make a public key', () => generator.createPublicKey());
      try {
        const words = wordsOf(this.instance.save(key).subarray(publicKeyHeader));
        const half = words.length / 2;
        return { s: this.secretOf(generator), b: words.subarray(0, half), a: words.subarray(half) };
      } finally {
        key.delete();
      }
    });
  }

  [Symbol.dispose](): void {
    if (this.disposed) return;
    this.disposed = true;
    this.release();
  }

  private secretOf(generator: KeyGenerator): BigUint64Array {
    const key = callSeal('read a secret', () => generator.secretKey());
    try {
      const bytes = this.instance.save(key);
      const words = wordsOf(bytes.subarray(secretKeyHeader));
      bytes.fill(0);
      return words;
    } finally {
      key.delete();
    }
  }

  private withGenerator<T>(work: (generator: KeyGenerator) => T): T {
    if (this.disposed) throw new FheError('DISPOSED', 'This sampler has been disposed of.');
    const { module, context } = this.instance;
    const generator = callSeal('make a key', () => new module.KeyGenerator(context));
    try {
      return work(generator);
    } finally {
      generator.delete();
    }
  }
}
