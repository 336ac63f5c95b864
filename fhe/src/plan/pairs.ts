/**
 * Which stored ciphertexts a cell is computed from. A pair x + iy takes the place of one factor: with real factors
 * besides it, the real part of the product belongs to x and the imaginary part to y, so (x + iy) g gives the cells
 * x g and y g from one product, and (x + iy) x gives x x and x y.
 */
import { type Layout, LINEAR_PRIMES, pairName } from '../columns/layout.js';
import { FheError } from '../errors.js';
import { type Monomial } from './compile.js';

export interface PackedMonomial extends Monomial {
  /** The factors as they are stored, sorted. */
  stored: string[];
  /** The pair among them. */
  pair?: string;
  coefficient: 0 | 'half';
}

type Choice = Pick<PackedMonomial, 'stored' | 'pair' | 'coefficient'>;

/**
 * Chooses for each cell the stored columns that it is computed from: pairs where two cells or more then share a
 * product (the product that serves most cells first), single columns elsewhere.
 * @throws FheError PLAN_INVALID if the layout does not store what a cell needs
 */
export function choosePairs(cells: readonly Monomial[], layout: Layout): PackedMonomial[] {
  if (layout.pairs.length === 0 && !layout.linear?.length)
    return cells.map((cell) => ({ ...cell, stored: cell.factors, coefficient: 0 }));
  const store = new Store(layout);
  const options = cells.map((cell) => store.withPair(cell.factors));
  const chosen = new Map<number, Choice>();
  for (;;) {
    const users = new Map<string, number[]>();
    options.forEach((choices, i) => {
      if (!chosen.has(i)) for (const { stored } of choices) append(users, stored.join('*'), i);
    });
    const [best] = [...users].sort(([a, x], [b, y]) => y.length - x.length || (a < b ? -1 : 1));
    if (!best || best[1].length < 2) break;
    for (const i of best[1]) {
      const choice = options[i]?.find(({ stored }) => stored.join('*') === best[0]);
      if (choice) chosen.set(i, choice);
    }
  }
  return cells.map((cell, i) => {
    const choice = chosen.get(i) ?? store.single(cell.factors) ?? options[i]?.[0];
    if (!choice)
      throw new FheError(
        'PLAN_INVALID',
        `The datasets' layout stores ${cell.factors.join(', ')} in a way that leaves no product of them.`,
      );
    return { ...cell, ...choice };
  });
}

/** Primes of the columns that are kept at fewer than all, if there are any. */
export function linearPrimes(
  columns: readonly string[],
  layout: Layout,
  set: { readonly dataPrimes: number },
): Record<string, number> | undefined {
  const linear = columns.filter((name) => layout.linear?.includes(name));
  if (linear.length === 0 || set.dataPrimes <= LINEAR_PRIMES) return undefined;
  return Object.fromEntries(linear.map((name) => [name, LINEAR_PRIMES]));
}

/** What a layout stores. */
class Store {
  readonly #alone: ReadonlySet<string>;
  readonly #linear: ReadonlySet<string>;
  readonly #pairs = new Map<string, { name: string; coefficient: 0 | 'half' }>();

  constructor({ pairs, alone, linear }: Layout) {
    this.#alone = new Set(alone);
    this.#linear = new Set(linear);
    for (const [first, second] of pairs) {
      const name = pairName(first, second);
      this.#pairs.set(first, { name, coefficient: 0 }).set(second, { name, coefficient: 'half' });
    }
  }

  /** The factors as single columns. */
  single(factors: readonly string[]): Choice | undefined {
    const stored = factors.every((name) => !this.#pairs.has(name) || this.#alone.has(name));
    if (!stored || !this.#mayMultiply(factors)) return undefined;
    return { stored: [...factors], coefficient: 0 };
  }

  /** Every way to put a pair in the place of one factor. */
  withPair(factors: readonly string[]): Choice[] {
    return [...new Set(factors)].flatMap((name) => {
      const pair = this.#pairs.get(name);
      const rest = factors.toSpliced(factors.indexOf(name), 1);
      if (!pair || (rest.length > 0 && !this.single(rest))) return [];
      const stored = [...rest, pair.name].sort();
      if (!this.#mayMultiply(stored)) return [];
      return [{ stored, pair: pair.name, coefficient: pair.coefficient }];
    });
  }

  #mayMultiply(stored: readonly string[]): boolean {
    return stored.length === 1 || !stored.some((name) => this.#linear.has(name));
  }
}

function append(map: Map<string, number[]>, key: string, value: number): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
