/**
 * Sums over batches of products and of plain columns, in a WebAssembly memory of their own (assembly/accumulate.ts).
 * The words are those that SEAL's multiplication, addition and dropping of primes give: all are residues, exact and
 * canonical, so that only relinearisation and rescaling need SEAL. Public data only.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FheError } from '../errors.js';
import { type ParameterSet } from '../params/index.js';

interface Functions {
  multiplyAdd(sums: number, a0: number, a1: number, b0: number, b1: number, count: number): void;
  settle(sums: number, count: number, wrap: bigint, q: bigint, mu: bigint): void;
  polynomials(sums: number, out0: number, out1: number, out2: number, count: number, q: bigint): void;
  absorb(sums: number, in0: number, in1: number, in2: number, count: number): void;
  add(out: number, a: number, count: number, q: bigint): void;
}

/** Products that a sum of 128 bits holds. */
const UNSETTLED = 63;
const PAGE = 65536;
/** WebAssembly's 32-bit addresses. */
const MEMORY_LIMIT = 2 ** 32 - PAGE;

/** The same relative path leads from src/worker and from dist/worker to the file that the build writes. */
const kernelPath = join(__dirname, '..', '..', 'dist', 'worker', 'accumulate.wasm');
let compiled: WebAssembly.Module | undefined;

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

export class Accumulator {
  readonly #set: ParameterSet;
  readonly #memory = new WebAssembly.Memory({ initial: 1 });
  readonly #functions: Functions;
  readonly #limbBytes: number;
  readonly #operands = new Map<string, Operand>();
  readonly #sums = new Map<string, Sum>();
  readonly #free = new Map<number, number[]>();
  #used = 0;

  constructor(set: ParameterSet) {
    this.#set = set;
    this.#limbBytes = 8 * set.polyModulusDegree;
    try {
      compiled ??= new WebAssembly.Module(readFileSync(kernelPath));
    } catch (cause) {
      throw new FheError('RUNTIME_UNSUPPORTED', 'The arithmetic kernel is missing: run `npm run build`.', {
        cause,
      });
    }
    const abort = (): never => {
      throw new FheError('RUNTIME_UNSUPPORTED', 'The arithmetic kernel stopped.');
    };
    const instance = new WebAssembly.Instance(compiled, { env: { memory: this.#memory, abort } });
    this.#functions = instance.exports as Functions;
  }

  /**
   * Keeps an operand of the batch under way.
   * @param words two polynomials, checked to be below their primes
   */
  put(name: string, words: BigUint64Array): void {
    const primes = words.length / (2 * this.#set.polyModulusDegree);
    const offset = this.#allocate(8 * words.length);
    this.#words(offset, words.length).set(words);
    this.#operands.set(name, { offset, primes });
  }

  /** Forgets the operands: the batch has ended. */
  endBatch(): void {
    for (const { offset, primes } of this.#operands.values()) this.#release(offset, 2 * primes);
    this.#operands.clear();
  }

  /** Whether a sum has terms. */
  has(sum: string): boolean {
    return this.#sums.has(sum);
  }

  /** Adds an operand, or the product of two, at a level of so many primes; the primes above are dropped. */
  add(name: string, primes: number, left: string, right?: string): void {
    const a = this.#operand(left, primes);
    const b = right === undefined ? undefined : this.#operand(right, primes);
    const sum = this.#sum(name, b ? 3 : 2, primes);
    const count = this.#set.polyModulusDegree;
    if (b) this.#settleBefore(sum);
    for (let limb = 0; limb < primes; limb++) {
      const [a0, a1] = this.#limbs(a.offset, limb, a.primes);
      if (b) {
        const [b0, b1] = this.#limbs(b.offset, limb, b.primes);
        this.#functions.multiplyAdd(this.#wideLimb(sum, limb), a0, a1, b0, b1, count);
      } else {
        const [out0, out1] = this.#limbs(sum.offset, limb, primes);
        this.#functions.add(out0, a0, count, this.#prime(limb));
        this.#functions.add(out1, a1, count, this.#prime(limb));
      }
    }
  }

  /** The sum's polynomials, limb by limb: three of products, two of columns. A copy. */
  read(name: string): { size: 2 | 3; primes: number; words: BigUint64Array } {
    const sum = this.#sums.get(name);
    if (!sum) throw new FheError('ARGUMENT_INVALID', 'There is no batch to evaluate.');
    const { size, primes } = sum;
    const length = size * primes * this.#set.polyModulusDegree;
    if (size === 2) return { size, primes, words: this.#words(sum.offset, length).slice() };
    this.#settle(sum);
    const out = this.#allocate(8 * length);
    for (let limb = 0; limb < primes; limb++) {
      const [out0, out1, out2] = this.#limbs(out, limb, primes);
      const at = this.#wideLimb(sum, limb);
      this.#functions.polynomials(at, out0, out1, out2, this.#set.polyModulusDegree, this.#prime(limb));
    }
    const words = this.#words(out, length).slice();
    this.#release(out, size * primes);
    return { size, primes, words };
  }

  /** Adds what another accumulator of the same evaluation read. */
  absorb(name: string, { size, primes, words }: ReturnType<Accumulator['read']>): void {
    const sum = this.#sum(name, size, primes);
    const at = this.#allocate(8 * words.length);
    this.#words(at, words.length).set(words);
    const count = this.#set.polyModulusDegree;
    if (size === 3) this.#settleBefore(sum);
    for (let limb = 0; limb < primes; limb++) {
      const [in0, in1, in2] = this.#limbs(at, limb, primes);
      if (size === 3) this.#functions.absorb(this.#wideLimb(sum, limb), in0, in1, in2, count);
      else {
        const [out0, out1] = this.#limbs(sum.offset, limb, primes);
        this.#functions.add(out0, in0, count, this.#prime(limb));
        this.#functions.add(out1, in1, count, this.#prime(limb));
      }
    }
    this.#release(at, size * primes);
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
    // Three polynomials are kept as sums of two words.
    const limbs = primes * (size === 3 ? 6 : 2);
    const sum: Sum = { offset: this.#allocate(limbs * this.#limbBytes), size, primes, unsettled: 0 };
    this.#words(sum.offset, limbs * this.#set.polyModulusDegree).fill(0n);
    this.#sums.set(name, sum);
    return sum;
  }

  #settleBefore(sum: Sum): void {
    if (sum.unsettled === UNSETTLED - 1) this.#settle(sum);
    sum.unsettled += 1;
  }

  #settle(sum: Sum): void {
    for (let limb = 0; limb < sum.primes; limb++) {
      const q = this.#prime(limb);
      const mu = (1n << 123n) / q;
      const at = this.#wideLimb(sum, limb);
      this.#functions.settle(at, this.#set.polyModulusDegree, (1n << 64n) % q, q, mu);
    }
    sum.unsettled = 0;
  }

  #wideLimb(sum: Sum, limb: number): number {
    return sum.offset + 6 * limb * this.#limbBytes;
  }

  /** Addresses of one limb in up to three polynomials. */
  #limbs(offset: number, limb: number, primes: number): [number, number, number] {
    const at = (polynomial: number): number => offset + (polynomial * primes + limb) * this.#limbBytes;
    return [at(0), at(1), at(2)];
  }

  #prime(limb: number): bigint {
    return this.#set.primes[limb] as bigint;
  }

  #words(offset: number, length: number): BigUint64Array {
    return new BigUint64Array(this.#memory.buffer, offset, length);
  }

  #allocate(bytes: number): number {
    const again = this.#free.get(bytes)?.pop();
    if (again !== undefined) return again;
    const offset = this.#used;
    const missing = offset + bytes - this.#memory.buffer.byteLength;
    if (offset + bytes > MEMORY_LIMIT)
      throw new FheError(
        'CAPACITY_EXCEEDED',
        'So many cells do not fit in memory; evaluate fewer at a time.',
      );
    if (missing > 0) this.#memory.grow(Math.ceil(missing / PAGE));
    this.#used += bytes;
    return offset;
  }

  #release(offset: number, limbs: number): void {
    const bytes = limbs * this.#limbBytes;
    const list = this.#free.get(bytes);
    if (list) list.push(offset);
    else this.#free.set(bytes, [offset]);
  }
}
