import { FheError } from '../errors.js';

/** More than one epoch is in use only while one replaces another. */
const KEPT_EPOCHS = 2;

/** Keys by epoch, the latest few; each is disposed of when it is replaced. */
export class EpochKeys<T extends Disposable> implements Disposable {
  readonly #name: string;
  readonly #keys = new Map<string, T>();

  constructor(name: string) {
    this.#name = name;
  }

  put(epochId: string, key: T): void {
    this.#drop(epochId);
    this.#keys.set(epochId, key);
    for (const [oldest] of [...this.#keys].slice(0, -KEPT_EPOCHS)) this.#drop(oldest);
  }

  /** @throws FheError KEY_MISSING */
  get(epochId: string): T {
    const key = this.#keys.get(epochId);
    if (!key) throw new FheError('KEY_MISSING', `The ${this.#name} of epoch ${epochId} has not been loaded.`);
    return key;
  }

  [Symbol.dispose](): void {
    for (const epochId of [...this.#keys.keys()]) this.#drop(epochId);
  }

  #drop(epochId: string): void {
    this.#keys.get(epochId)?.[Symbol.dispose]();
    this.#keys.delete(epochId);
  }
}
