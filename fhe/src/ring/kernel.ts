/**
 * The WebAssembly kernel (assembly/kernel.ts), each instance with a memory of its own, so that erasing a secret is
 * erasing a memory.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FheError } from '../errors.js';

/** Addresses and counts are in bytes and words; words cross as signed 64-bit `bigint`. */
export interface KernelFunctions {
  multiplyWords(a: bigint, b: bigint, q: bigint, mu: bigint): bigint;
  add(out: number, a: number, b: number, count: number, q: bigint): void;
  subtract(out: number, a: number, b: number, count: number, q: bigint): void;
  negate(out: number, a: number, count: number, q: bigint): void;
  multiply(out: number, a: number, b: number, count: number, q: bigint, mu: bigint): void;
  multiplyAdd(out: number, a: number, b: number, count: number, q: bigint, mu: bigint): void;
  scaleAdd(out: number, a: number, s: bigint, count: number, q: bigint, mu: bigint): void;
  horner(out: number, x: bigint, c: number, count: number, q: bigint, mu: bigint): void;
  dot(a: number, b: number, count: number, q: bigint, mu: bigint): bigint;
}

export interface Kernel {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  readonly functions: KernelFunctions;
}

let compiled: WebAssembly.Module | undefined;

/** The same relative path leads from src/ring and from dist/ring to the file that the build writes. */
const kernelPath = join(__dirname, '..', '..', 'dist', 'ring', 'kernel.wasm');

function kernelModule(): WebAssembly.Module {
  if (compiled) return compiled;
  try {
    compiled = new WebAssembly.Module(readFileSync(kernelPath));
  } catch (cause) {
    throw new FheError('RUNTIME_UNSUPPORTED', 'The arithmetic kernel is missing: run `npm run build`.', {
      cause,
    });
  }
  return compiled;
}

/** A kernel instance with an empty memory of its own. */
export function newKernel(): Kernel {
  const memory = new WebAssembly.Memory({ initial: 0 });
  const abort = (): never => {
    throw new FheError('RUNTIME_UNSUPPORTED', 'The arithmetic kernel stopped.');
  };
  const instance = new WebAssembly.Instance(kernelModule(), { env: { memory, abort } });
  return { memory, functions: instance.exports as KernelFunctions };
}
