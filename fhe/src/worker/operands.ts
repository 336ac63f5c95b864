import { FheError } from '../errors.js';
import { type SealCiphertext, type SealEvaluator } from '../seal/index.js';

/** The columns and products of one batch at every level that they are needed at; owner of all of them. */
export class Operands implements Disposable {
  readonly #evaluator: SealEvaluator;
  readonly #own = new Map<string, SealCiphertext>();
  readonly #lower = new Map<string, SealCiphertext>();

  constructor(evaluator: SealEvaluator) {
    this.#evaluator = evaluator;
  }

  /** Takes the value over. */
  put(name: string, value: SealCiphertext): void {
    this.#own.set(name, value);
  }

  /** The operand with `primes` primes left; it stays this object's. */
  at(name: string, primes: number): SealCiphertext {
    const own = this.#own.get(name);
    if (!own) throw new FheError('PLAN_INVALID', `The plan uses ${name} before it is computed.`);
    if (own.primes === primes) return own;
    if (own.primes < primes)
      throw new FheError(
        'ARGUMENT_INVALID',
        `${name} has ${own.primes} primes left and ${primes} are needed.`,
      );
    const key = `${name}@${primes}`;
    const known = this.#lower.get(key);
    if (known) return known;
    const lower = own.clone();
    this.#lower.set(key, lower);
    this.#evaluator.modSwitchInPlace(lower, primes);
    return lower;
  }

  [Symbol.dispose](): void {
    for (const value of [...this.#own.values(), ...this.#lower.values()]) value[Symbol.dispose]();
    this.#own.clear();
    this.#lower.clear();
  }
}
