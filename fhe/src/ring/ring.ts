/**
 * Polynomials modulo the primes of a parameter set, in SEAL's NTT form, so that sums and products are point by
 * point. A ring owns one kernel instance; disposing of it overwrites that instance's whole memory.
 *
 * The kernel's time and memory access do not depend on the words (see assembly/kernel.ts).
 */
import { FheError } from '../errors.js';
import type { ParameterSet } from '../params/parameterSet.js';
import { newKernel } from './kernel.js';

const pageBytes = 65536;

/** A polynomial in a ring's memory; `limbs` counts the primes that it is held under, from the first. */
export interface Polynomial {
  readonly offset: number;
  readonly limbs: number;
}

interface Limb {
  readonly prime: bigint;
  /** Barrett factor floor(2^123 / prime). */
  readonly mu: bigint;
}

export class Ring implements Disposable {
  private readonly kernel = newKernel();
  private readonly limbs: readonly Limb[];
  private readonly limbBytes: number;
  private readonly free = new Map<number, number[]>();
  private used = 0;
  private disposed = false;

  constructor(readonly set: ParameterSet) {
    this.limbs = set.primes.map((prime) => ({ prime, mu: (1n << 123n) / prime }));
    this.limbBytes = 8 * set.polyModulusDegree;
  }

  /** A zero polynomial. */
  zero(limbs: number = this.set.primes.length): Polynomial {
    this.requireOpen();
    const offset = this.free.get(limbs)?.pop();
    if (offset !== undefined) return { offset, limbs };
    const start = this.used;
    this.used += limbs * this.limbBytes;
    const missing = this.used - this.kernel.memory.buffer.byteLength;
    if (missing > 0) this.kernel.memory.grow(Math.ceil(missing / pageBytes));
    return { offset: start, limbs };
  }

  /** A polynomial from words: limb after limb, every word below its prime (the caller has checked). */
  load(words: BigUint64Array): Polynomial {
    const limbs = words.length / this.set.polyModulusDegree;
    if (!Number.isInteger(limbs) || limbs < 1 || limbs > this.limbs.length) {
      throw new FheError('ARGUMENT_INVALID', 'The words make no polynomial of this ring.');
    }
    const polynomial = this.zero(limbs);
    this.view(polynomial).set(words);
    return polynomial;
  }

  /** A copy of the words. */
  read(a: Polynomial): BigUint64Array {
    this.requireOpen();
    return this.view(a).slice();
  }

  /** Overwrites polynomials and gives their memory back. */
  release(...polynomials: Polynomial[]): void {
    this.requireOpen();
    for (const polynomial of polynomials) {
      this.view(polynomial).fill(0n);
      const offsets = this.free.get(polynomial.limbs) ?? [];
      offsets.push(polynomial.offset);
      this.free.set(polynomial.limbs, offsets);
    }
  }

  /** out = a + b */
  add(out: Polynomial, a: Polynomial, b: Polynomial): void {
    this.each(out, [a, b], (at, count, { prime }) => {
      this.kernel.functions.add(out.offset + at, a.offset + at, b.offset + at, count, prime);
    });
  }

  /** out = a - b */
  subtract(out: Polynomial, a: Polynomial, b: Polynomial): void {
    this.each(out, [a, b], (at, count, { prime }) => {
      this.kernel.functions.subtract(out.offset + at, a.offset + at, b.offset + at, count, prime);
    });
  }

  /** out = -a */
  negate(out: Polynomial, a: Polynomial): void {
    this.each(out, [a], (at, count, { prime }) => {
      this.kernel.functions.negate(out.offset + at, a.offset + at, count, prime);
    });
  }

  /** out = a b */
  multiply(out: Polynomial, a: Polynomial, b: Polynomial): void {
    this.each(out, [a, b], (at, count, { prime, mu }) => {
      this.kernel.functions.multiply(out.offset + at, a.offset + at, b.offset + at, count, prime, mu);
    });
  }

  /** out += a b */
  multiplyAdd(out: Polynomial, a: Polynomial, b: Polynomial): void {
    this.each(out, [a, b], (at, count, { prime, mu }) => {
      this.kernel.functions.multiplyAdd(out.offset + at, a.offset + at, b.offset + at, count, prime, mu);
    });
  }

  /** out += scalar a in one limb; the other limbs stay. */
  scaleAddLimb(out: Polynomial, a: Polynomial, scalar: bigint, limb: number): void {
    const { prime, mu } = this.limb(limb);
    const at = limb * this.limbBytes;
    const count = this.set.polyModulusDegree;
    this.kernel.functions.scaleAdd(out.offset + at, a.offset + at, scalar, count, prime, mu);
  }

  /** out = x out + c, a step of Horner's rule at a public point. */
  horner(out: Polynomial, x: bigint, c: Polynomial): void {
    this.each(out, [c], (at, count, { prime, mu }) => {
      this.kernel.functions.horner(out.offset + at, x, c.offset + at, count, prime, mu);
    });
  }

  /** Sum of a b over the points `from` to `to` (exclusive) of one limb, modulo its prime. */
  dot(a: Polynomial, b: Polynomial, limb: number, from: number, to: number): bigint {
    this.requireOpen();
    const { prime, mu } = this.limb(limb);
    const at = limb * this.limbBytes + 8 * from;
    return this.kernel.functions.dot(a.offset + at, b.offset + at, to - from, prime, mu);
  }

  /** Product of two words modulo a limb's prime. */
  multiplyWords(a: bigint, b: bigint, limb: number): bigint {
    const { prime, mu } = this.limb(limb);
    return this.kernel.functions.multiplyWords(a, b, prime, mu);
  }

  [Symbol.dispose](): void {
    if (this.disposed) return;
    this.disposed = true;
    new Uint8Array(this.kernel.memory.buffer).fill(0);
  }

  private each(
    out: Polynomial,
    inputs: readonly Polynomial[],
    work: (at: number, count: number, limb: Limb) => void,
  ): void {
    this.requireOpen();
    if (inputs.some(({ limbs }) => limbs < out.limbs)) {
      throw new FheError('ARGUMENT_INVALID', 'An operand is held under fewer primes than the result.');
    }
    for (let i = 0; i < out.limbs; i++) {
      work(i * this.limbBytes, this.set.polyModulusDegree, this.limb(i));
    }
  }

  private limb(index: number): Limb {
    const limb = this.limbs[index];
    if (!limb) throw new FheError('ARGUMENT_INVALID', 'The ring has no such prime.');
    return limb;
  }

  private view({ offset, limbs }: Polynomial): BigUint64Array {
    return new BigUint64Array(this.kernel.memory.buffer, offset, limbs * this.set.polyModulusDegree);
  }

  private requireOpen(): void {
    if (this.disposed) throw new FheError('DISPOSED', 'The ring has been erased.');
  }
}
