/** The WebAssembly kernel for public ciphertexts (assembly/accumulate.ts), each instance with a memory of its own. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FheError } from '../errors.js';

/** Addresses and counts are in bytes and words. */
interface Functions {
  multiplyAdd(sums: number, a0: number, a1: number, b0: number, b1: number, count: number): void;
  settle(sums: number, count: number, wrap: bigint, q: bigint, mu: bigint): void;
  polynomials(sums: number, out0: number, out1: number, out2: number, count: number, q: bigint): void;
  absorb(sums: number, in0: number, in1: number, in2: number, count: number): void;
  add(out: number, a: number, count: number, q: bigint): void;
  joinHalves(out: number, a: number, b: number, count: number, unit: bigint, q: bigint, mu: bigint): void;
}

const PAGE = 65536;
/** WebAssembly's 32-bit addresses. */
const MEMORY_LIMIT = 2 ** 32 - PAGE;

/** The same relative path leads from src/worker and from dist/worker to the file that the build writes. */
const kernelPath = join(__dirname, '..', '..', 'dist', 'worker', 'accumulate.wasm');
let compiled: WebAssembly.Module | undefined;

/** Barrett's factor of a prime. */
export function barrett(prime: bigint): bigint {
  return (1n << 123n) / prime;
}

/** A kernel and its memory, handed out in pieces that are reused by their size. */
export class CiphertextKernel {
  readonly functions: Functions;
  readonly #memory = new WebAssembly.Memory({ initial: 1 });
  readonly #free = new Map<number, number[]>();
  #used = 0;

  constructor() {
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
    this.functions = instance.exports as Functions;
  }

  /** Size of the memory, which never shrinks. */
  get bytes(): number {
    return this.#memory.buffer.byteLength;
  }

  /** Room for so many words; what it holds is left from before. */
  allocate(words: number): number {
    const again = this.#free.get(words)?.pop();
    if (again !== undefined) return again;
    const offset = this.#used;
    const end = offset + 8 * words;
    if (end > MEMORY_LIMIT)
      throw new FheError(
        'CAPACITY_EXCEEDED',
        'So many cells do not fit in memory; evaluate fewer at a time.',
      );
    const missing = end - this.#memory.buffer.byteLength;
    if (missing > 0) this.#memory.grow(Math.ceil(missing / PAGE));
    this.#used = end;
    return offset;
  }

  release(offset: number, words: number): void {
    const list = this.#free.get(words);
    if (list) list.push(offset);
    else this.#free.set(words, [offset]);
  }

  /** A view, until memory is next allocated. */
  words(offset: number, length: number): BigUint64Array {
    return new BigUint64Array(this.#memory.buffer, offset, length);
  }

  /** Room that holds a copy of these words. */
  load(words: BigUint64Array): number {
    const offset = this.allocate(words.length);
    this.words(offset, words.length).set(words);
    return offset;
  }
}
