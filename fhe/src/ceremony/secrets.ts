/**
 * One party's secrets of one attempt: s_i, and u_i between the two rounds of the relinearisation key, in a ring of
 * their own; and the small errors that hide them.
 */
import type { ParameterSet } from '../params/parameterSet.js';
import { type Polynomial, Ring } from '../ring/ring.js';
import type { SecretSampler } from '../seal/sampler.js';

export class PartySecrets implements Disposable {
  readonly ring: Ring;
  /** s_i, ternary. */
  readonly secret: Polynomial;
  private disposed = false;

  constructor(
    set: ParameterSet,
    private readonly sampler: SecretSampler,
  ) {
    this.ring = new Ring(set);
    this.secret = this.ternary();
  }

  /** A fresh ternary polynomial. */
  ternary(): Polynomial {
    return this.load(this.sampler.ternary());
  }

  /** A fresh small error. */
  smallError(): Polynomial {
    const error = this.ring.zero();
    this.addSmallError(error);
    return error;
  }

  /** Adds a fresh small error, -(b + a s) of a key pair that is used for nothing else. */
  addSmallError(out: Polynomial): void {
    const { ring } = this;
    const source = this.sampler.errorSource();
    const [s, a, b] = [this.load(source.s), this.load(source.a), this.load(source.b)];
    ring.subtract(out, out, b);
    ring.multiply(a, a, s);
    ring.subtract(out, out, a);
    ring.release(s, a, b);
  }

  /** Moves words into the ring: the array is overwritten. */
  load(words: BigUint64Array): Polynomial {
    const polynomial = this.ring.load(words);
    words.fill(0n);
    return polynomial;
  }

  get isDisposed(): boolean {
    return this.disposed;
  }

  /** Overwrites everything. */
  [Symbol.dispose](): void {
    if (this.disposed) return;
    this.disposed = true;
    this.ring[Symbol.dispose]();
    this.sampler[Symbol.dispose]();
  }
}
