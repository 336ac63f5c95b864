/**
 * One evaluation: cells summed over batches. The last product of a cell stays unrelinearised (three polynomials) in
 * the sum over all batches and is relinearised once, and it is never rescaled; inner products are relinearised and
 * rescaled in every batch.
 */
import { FheError } from '../errors.js';
import { type Work } from '../evaluate/work.js';
import { type SealCiphertext, type SealContext, type SealRelinKeys } from '../seal/index.js';
import { type Checkpoint } from './engine.js';
import { Operands } from './operands.js';

export class Evaluation implements Disposable {
  readonly #context: SealContext;
  readonly #work: Work;
  readonly #keys: SealRelinKeys | undefined;
  readonly #sums = new Map<string, SealCiphertext>();

  /** @param keys needed if the work has products */
  constructor(context: SealContext, work: Work, keys: SealRelinKeys | undefined) {
    this.#context = context;
    this.#work = work;
    this.#keys = keys;
  }

  /** @param load a column's ciphertext, which becomes the evaluation's */
  addBatch(load: (column: string) => SealCiphertext, checkpoint: Checkpoint): void {
    const { evaluator, set } = this.#context;
    using operands = new Operands(evaluator);
    for (const name of this.#work.columns) {
      checkpoint();
      const column = load(name);
      operands.put(name, column);
      if (column.scale !== 2 ** set.scaleBits)
        throw new FheError(
          'CIPHERTEXT_MALFORMED',
          `The column ${name} is not at the scale of fresh columns.`,
        );
    }
    for (const { id, left, right, primes } of this.#work.products) {
      checkpoint();
      const product = this.#multiply(operands, left, right, primes + 1);
      operands.put(id, product);
      evaluator.relinearizeInPlace(product, this.#relinKeys());
      evaluator.rescaleInPlace(product);
    }
    for (const { id, operands: names, primes } of this.#work.cells) {
      checkpoint();
      const [left, right] = names;
      if (right !== undefined) {
        const product = this.#multiply(operands, left, right, primes);
        const sum = this.#sums.get(id);
        if (!sum) this.#sums.set(id, product);
        else
          try {
            evaluator.addInPlace(sum, product);
          } finally {
            product[Symbol.dispose]();
          }
      } else {
        const column = operands.at(left, primes);
        const sum = this.#sums.get(id);
        if (sum) evaluator.addInPlace(sum, column);
        else this.#sums.set(id, column.clone());
      }
    }
  }

  /** SEAL's bytes of each cell, two polynomials at the release level. */
  finish(checkpoint: Checkpoint): Uint8Array[] {
    return this.#work.cells.map(({ id }) => {
      checkpoint();
      const sum = this.#sums.get(id);
      if (!sum) throw new FheError('ARGUMENT_INVALID', 'There is no batch to evaluate.');
      if (sum.size === 3) this.#context.evaluator.relinearizeInPlace(sum, this.#relinKeys());
      return sum.save();
    });
  }

  [Symbol.dispose](): void {
    for (const sum of this.#sums.values()) sum[Symbol.dispose]();
    this.#sums.clear();
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
