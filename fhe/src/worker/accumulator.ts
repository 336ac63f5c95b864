/**
 * Sums over batches of products and of plain columns, in the memory of a WebAssembly kernel (assembly/accumulate.ts).
 * The words are those that SEAL's multiplication, addition and dropping of primes give: all are residues, exact and
 * canonical, so that only relinearisation and rescaling need SEAL. Public data only.
 */
import { FheError } from '../errors.js';
import { type ParameterSet } from '../params/index.js';
import { barrett, type CiphertextKernel } from './kernel.js';

/** Products that a sum of 128 bits holds. */
const UNSETTLED = 63;

interface Operand {
  offset: number;
  primes: number;
}

interface Sum {
  offset: number;
  size: 2 | 3;
  primes: number;
  /** Products since the last reduction. */
  unsettled: number;
}

export class Accumulator implements Disposable {
  readonly #set: ParameterSet;
  readonly #kernel: CiphertextKernel;
  readonly #operands = new Map<string, Operand>();
  readonly #sums = new Map<string, Sum>();

  constructor(set: ParameterSet, kernel: CiphertextKernel) {
    this.#set = set;
    this.#kernel = kernel;
  }

  /**
   * Keeps an operand of the batch under way.
   * @param words two polynomials, checked to be below their primes
   */
  put(name: string, words: BigUint64Array): void {
    const primes = words.length / (2 * this.#set.polyModulusDegree);
    this.#operands.set(name, { offset: this.#kernel.load(words), primes });
  }

  /** Forgets the operands: the batch has ended. */
  endBatch(): void {
    for (const { offset, primes } of this.#operands.values())
      this.#kernel.release(offset, 2 * primes * this.#set.polyModulusDegree);
    this.#operands.clear();
  }

  /** Whether a sum has terms. */
  has(sum: string): boolean {
    return this.#sums.has(sum);
  }

  /** Adds an operand, or the product of two, at a level of so many primes; the primes above are dropped. */
  add(name: string, primes: number, left: string, right?: string): void {
    const { functions } = this.#kernel;
    const a = this.#operand(left, primes);
    const b = right === undefined ? undefined : this.#operand(right, primes);
    const sum = this.#sum(name, b ? 3 : 2, primes);
    const count = this.#set.polyModulusDegree;
    if (b) this.#settleBefore(sum);
    for (let limb = 0; limb < primes; limb++) {
      const [a0, a1] = this.#limbs(a.offset, limb, a.primes);
      if (b) {
        const [b0, b1] = this.#limbs(b.offset, limb, b.primes);
        functions.multiplyAdd(this.#wideLimb(sum, limb), a0, a1, b0, b1, count);
      } else {
        const [out0, out1] = this.#limbs(sum.offset, limb, primes);
        functions.add(out0, a0, count, this.#prime(limb));
        functions.add(out1, a1, count, this.#prime(limb));
      }
    }
  }

  /** The sum's polynomials, limb by limb: three of products, two of columns. A copy. */
  read(name: string): { size: 2 | 3; primes: number; words: BigUint64Array } {
    const { functions } = this.#kernel;
    const sum = this.#sums.get(name);
    if (!sum) throw new FheError('ARGUMENT_INVALID', 'There is no batch to evaluate.');
    const { size, primes } = sum;
    const length = size * primes * this.#set.polyModulusDegree;
    if (size === 2) return { size, primes, words: this.#kernel.words(sum.offset, length).slice() };
    this.#settle(sum);
    const out = this.#kernel.allocate(length);
    for (let limb = 0; limb < primes; limb++) {
      const [out0, out1, out2] = this.#limbs(out, limb, primes);
      const at = this.#wideLimb(sum, limb);
      functions.polynomials(at, out0, out1, out2, this.#set.polyModulusDegree, this.#prime(limb));
    }
    const words = this.#kernel.words(out, length).slice();
    this.#kernel.release(out, length);
    return { size, primes, words };
  }

  /** Adds what another accumulator of the same evaluation read. */
  absorb(name: string, { size, primes, words }: ReturnType<Accumulator['read']>): void {
    const { functions } = this.#kernel;
    const sum = this.#sum(name, size, primes);
    const at = this.#kernel.load(words);
    const count = this.#set.polyModulusDegree;
    if (size === 3) this.#settleBefore(sum);
    for (let limb = 0; limb < primes; limb++) {
      const [in0, in1, in2] = this.#limbs(at, limb, primes);
      if (size === 3) functions.absorb(this.#wideLimb(sum, limb), in0, in1, in2, count);
      else {
        const [out0, out1] = this.#limbs(sum.offset, limb, primes);
        functions.add(out0, in0, count, this.#prime(limb));
        functions.add(out1, in1, count, this.#prime(limb));
      }
    }
    this.#kernel.release(at, words.length);
  }

  /** Gives the memory back to the kernel. */
  [Symbol.dispose](): void {
    this.endBatch();
    for (const { offset, size, primes } of this.#sums.values())
      this.#kernel.release(offset, this.#lengthOf(size, primes));
    this.#sums.clear();
  }

  #operand(name: string, primes: number): Operand {
    const operand = this.#operands.get(name);
    if (!operand) throw new FheError('PLAN_INVALID', `The plan uses ${name} before it is computed.`);
    if (operand.primes < primes)
      throw new FheError(
        'ARGUMENT_INVALID',
        `${name} has ${operand.primes} primes left and ${primes} are needed.`,
      );
    return operand;
  }

  #sum(name: string, size: 2 | 3, primes: number): Sum {
    const known = this.#sums.get(name);
    if (known) return known;
    const length = this.#lengthOf(size, primes);
    const sum: Sum = { offset: this.#kernel.allocate(length), size, primes, unsettled: 0 };
    this.#kernel.words(sum.offset, length).fill(0n);
    this.#sums.set(name, sum);
    return sum;
  }

  /** Three polynomials are kept as sums of two words. */
  #lengthOf(size: 2 | 3, primes: number): number {
    return primes * (size === 3 ? 6 : 2) * this.#set.polyModulusDegree;
  }

  #settleBefore(sum: Sum): void {
    if (sum.unsettled === UNSETTLED - 1) this.#settle(sum);
    sum.unsettled += 1;
  }

  #settle(sum: Sum): void {
    const { functions } = this.#kernel;
    for (let limb = 0; limb < sum.primes; limb++) {
      const q = this.#prime(limb);
      const at = this.#wideLimb(sum, limb);
      functions.settle(at, this.#set.polyModulusDegree, (1n << 64n) % q, q, barrett(q));
    }
    sum.unsettled = 0;
  }

  #wideLimb(sum: Sum, limb: number): number {
    return sum.offset + 6 * limb * 8 * this.#set.polyModulusDegree;
  }

  /** Addresses of one limb in up to three polynomials. */
  #limbs(offset: number, limb: number, primes: number): [number, number, number] {
    const at = (polynomial: number): number =>
      offset + (polynomial * primes + limb) * 8 * this.#set.polyModulusDegree;
    return [at(0), at(1), at(2)];
  }

  #prime(limb: number): bigint {
    return this.#set.primes[limb] as bigint;
  }
}
