/**
 * One evaluation: cells summed over batches. The last product of a cell stays unrelinearised (three polynomials) in
 * the sum over all batches and is relinearised once, and it is never rescaled; inner products are relinearised and
 * rescaled in every batch. Cells that differ only in the coefficient to be released share one sum.
 */
import { buildCiphertext, parseCiphertext } from '../bytes/seal.js';
import { bytesOf, wordsOf } from '../bytes/words.js';
import { FheError } from '../errors.js';
import { type Work } from '../evaluate/work.js';
import { type ParameterSet } from '../params/index.js';
import { type PlanCell } from '../plan/types.js';
import { type SealCiphertext, type SealContext, type SealRelinKeys } from '../seal/index.js';
import { Accumulator } from './accumulator.js';
import { type Checkpoint } from './engine.js';
import { type CiphertextKernel } from './kernel.js';
import { Operands } from './operands.js';

export class Evaluation implements Disposable {
  readonly #context: SealContext;
  readonly #work: Work;
  readonly #keys: SealRelinKeys | undefined;
  readonly #sums: Accumulator;
  /** Operands of inner products, which SEAL computes, and of cells, which the accumulator does. */
  readonly #inner: ReadonlySet<string>;
  readonly #last: ReadonlySet<string>;
  readonly #scales: ReadonlyMap<string, number>;

  /** @param keys needed if the work has products */
  constructor(context: SealContext, kernel: CiphertextKernel, work: Work, keys: SealRelinKeys | undefined) {
    this.#context = context;
    this.#work = work;
    this.#keys = keys;
    this.#sums = new Accumulator(context.set, kernel);
    this.#inner = new Set(work.products.flatMap(({ left, right }) => [left, right]));
    this.#last = new Set(work.cells.flatMap(({ operands }): string[] => operands));
    this.#scales = scalesOf(work, context.set);
  }

  /** @param load the body of a column's ciphertext */
  addBatch(load: (column: string) => Uint8Array, checkpoint: Checkpoint): void {
    const { evaluator, set } = this.#context;
    using operands = new Operands(evaluator);
    try {
      for (const name of this.#work.columns) {
        checkpoint();
        const body = load(name);
        const { size, scale, words } = parseCiphertext(body, set);
        if (size !== 2)
          throw new FheError('CIPHERTEXT_MALFORMED', 'A column or partial result has two polynomials.');
        if (scale !== this.#scales.get(name))
          throw new FheError(
            'CIPHERTEXT_MALFORMED',
            `The column ${name} is not at the scale of fresh columns.`,
          );
        if (this.#last.has(name)) this.#sums.put(name, words);
        if (this.#inner.has(name)) operands.put(name, this.#context.loadCiphertext(body));
      }
      for (const { id, left, right, primes } of this.#work.products) {
        checkpoint();
        const product = this.#multiply(operands, left, right, primes + 1);
        operands.put(id, product);
        evaluator.relinearizeInPlace(product, this.#relinKeys());
        evaluator.rescaleInPlace(product);
        if (this.#last.has(id)) this.#sums.put(id, parseCiphertext(product.save(), set).words);
      }
      const added = new Set<string>();
      for (const cell of this.#work.cells) {
        checkpoint();
        const key = sumOf(cell);
        const [left, right] = cell.operands;
        if (!added.has(key)) this.#sums.add(key, cell.primes, left, right);
        added.add(key);
      }
    } finally {
      this.#sums.endBatch();
    }
  }

  /** SEAL's bytes of the named cells, two polynomials at the release level. */
  finish(cells: readonly string[], checkpoint: Checkpoint): Uint8Array[] {
    const made = new Map<string, Uint8Array>();
    return cells.map((id) => {
      checkpoint();
      const cell = this.#cell(id);
      const key = sumOf(cell);
      const body = made.get(key) ?? this.#finishSum(cell);
      made.set(key, body);
      return body;
    });
  }

  /** The words of the named cells' sums as they are, none where no batch has come: for {@link absorb} elsewhere. */
  drain(cells: readonly string[]): Uint8Array[] {
    return cells.map((id) => {
      const key = sumOf(this.#cell(id));
      return this.#sums.has(key) ? bytesOf(this.#sums.read(key).words) : new Uint8Array();
    });
  }

  /** Adds what another thread drained, whose batches were all others. */
  absorb(sums: readonly (readonly [string, Uint8Array])[]): void {
    for (const [id, bytes] of sums) {
      const cell = this.#cell(id);
      const size = cell.operands.length === 2 ? 3 : 2;
      this.#sums.absorb(sumOf(cell), { size, primes: cell.primes, words: wordsOf(bytes) });
    }
  }

  /** SEAL's bytes of the named cells' sums as they are: three polynomials where the last product is not relinearised. */
  suspend(cells: readonly string[]): Uint8Array[] {
    return cells.map((id) => this.#runningSum(this.#cell(id)));
  }

  /**
   * Begins from sums that were suspended.
   * @throws FheError CIPHERTEXT_MALFORMED unless size, level and scale are the cell's
   */
  resume(sums: readonly (readonly [string, Uint8Array])[]): void {
    for (const [id, body] of sums) {
      const cell = this.#cell(id);
      const key = sumOf(cell);
      if (this.#sums.has(key)) continue;
      const { size, primes, scale, words } = parseCiphertext(body, this.#context.set);
      const expected = cell.operands.length === 2 ? 3 : 2;
      if (size !== expected || primes !== cell.primes || scale !== this.#scaleOf(cell))
        throw new FheError(
          'CIPHERTEXT_MALFORMED',
          `The running sum of ${id} has another size, level or scale.`,
        );
      this.#sums.absorb(key, { size, primes, words });
    }
  }

  [Symbol.dispose](): void {
    this.#sums[Symbol.dispose]();
  }

  #finishSum(cell: PlanCell): Uint8Array {
    const body = this.#runningSum(cell);
    if (cell.operands.length === 1) return body;
    const { evaluator } = this.#context;
    using sum = this.#context.loadCiphertext(body);
    evaluator.relinearizeInPlace(sum, this.#relinKeys());
    return sum.save();
  }

  #runningSum(cell: PlanCell): Uint8Array {
    const { size, primes, words } = this.#sums.read(sumOf(cell));
    return buildCiphertext(this.#context.set, { size, primes, scale: this.#scaleOf(cell), words });
  }

  #scaleOf(cell: PlanCell): number {
    const operands: string[] = cell.operands;
    return operands.reduce((product, name) => product * (this.#scales.get(name) ?? 1), 1);
  }

  #cell(id: string): PlanCell {
    const cell = this.#work.cells.find((candidate) => candidate.id === id);
    if (!cell) throw new FheError('ARGUMENT_INVALID', `The work has no cell ${id}.`);
    return cell;
  }

  #multiply(operands: Operands, left: string, right: string, primes: number): SealCiphertext {
    const a = operands.at(left, primes);
    if (left === right) return this.#context.evaluator.square(a);
    return this.#context.evaluator.multiply(a, operands.at(right, primes));
  }

  #relinKeys(): SealRelinKeys {
    if (!this.#keys) throw new FheError('KEY_MISSING', 'A product needs the relinearisation key.');
    return this.#keys;
  }
}

/** What cells that share a sum have in common. */
function sumOf({ operands, primes }: Pick<PlanCell, 'operands' | 'primes'>): string {
  return `${operands.join('*')}@${primes}`;
}

/** The scales that SEAL states, of columns and inner products. */
function scalesOf(work: Work, set: ParameterSet): Map<string, number> {
  const scales = new Map(work.columns.map((name) => [name, 2 ** set.scaleBits]));
  for (const { id, left, right, primes } of work.products) {
    const product = (scales.get(left) ?? 1) * (scales.get(right) ?? 1);
    scales.set(id, product / Number(set.primes[primes]));
  }
  return scales;
}
