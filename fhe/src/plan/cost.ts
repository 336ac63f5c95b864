/**
 * What work takes, by a fixed table: contracts have no clock, so this is what they budget with. One unit is about a
 * millisecond of one core of the reference machine; the figures are for degree 16384 and scale with the degree.
 */
import { depthOf } from './tree.js';
import { type Cost } from './types.js';

/** Thousandths of a unit for each prime of a ciphertext of degree 16384. */
const TABLE = {
  /** Parsing and loading one ciphertext (two polynomials). */
  load: 1000,
  multiply: 500,
  add: 100,
  /** For the square of the primes: key switching touches every prime for every prime. */
  relinearize: 1200,
  rescale: 1200,
  save: 200,
} as const;

const REFERENCE_DEGREE = 16384;

/** What blob headers and SEAL's headers add to the words of a ciphertext, at most. */
const HEADER_BYTES = 400;

/** The parts of a plan that cost follows from. */
export interface Workload {
  columns: readonly string[];
  /** Data primes of the columns that have fewer than all. */
  columnPrimes?: Readonly<Record<string, number>>;
  products: readonly { primes: number }[];
  cells: readonly { primes: number; operands: readonly string[]; factors: readonly string[] }[];
}

/** Bytes of a size-2 ciphertext blob, headers included. */
export function ciphertextBytes(polyModulusDegree: number, primes: number): number {
  return 2 * 8 * polyModulusDegree * primes + HEADER_BYTES;
}

/** The cost of a workload over `batches` batches of `institutions` institutions. */
export function costOf(
  workload: Workload,
  set: { polyModulusDegree: number; dataPrimes: number },
  batches: number,
  institutions: number,
): Cost {
  const { columns, columnPrimes, products, cells } = workload;
  const primesIn = columns.map((name) => columnPrimes?.[name] ?? set.dataPrimes);
  const sums = distinctSums(cells);
  const productCells = sums.filter((cell) => cell.operands.length === 2);
  let perBatch = primesIn.reduce((sum, primes) => sum + primes, 0) * TABLE.load;
  for (const { primes } of products) {
    const before = primes + 1;
    perBatch += before * (TABLE.multiply + TABLE.rescale) + before ** 2 * TABLE.relinearize;
  }
  let perInstitution = 0;
  for (const cell of sums) {
    perBatch += cell.primes * (cell.operands.length === 2 ? TABLE.multiply + TABLE.add : TABLE.add);
    perInstitution += cell.primes * TABLE.save;
    if (cell.operands.length === 2) perInstitution += cell.primes ** 2 * TABLE.relinearize;
  }
  const thousandths = perBatch * batches + perInstitution * institutions;
  return {
    depth: Math.max(0, ...cells.map((cell) => depthOf(cell.factors.length))),
    multiplications: (products.length + productCells.length) * batches,
    relinearizations: products.length * batches + productCells.length * institutions,
    bytesIn:
      batches * primesIn.reduce((sum, primes) => sum + ciphertextBytes(set.polyModulusDegree, primes), 0),
    bytesOut:
      institutions *
      cells.reduce((sum, cell) => sum + ciphertextBytes(set.polyModulusDegree, cell.primes), 0),
    units: Math.ceil((thousandths * set.polyModulusDegree) / (1000 * REFERENCE_DEGREE)),
  };
}

/** One cell of those that are two coefficients of the same ciphertext. */
function distinctSums(cells: Workload['cells']): Workload['cells'] {
  return [...new Map(cells.map((cell) => [`${cell.operands.join('*')}@${cell.primes}`, cell])).values()];
}
