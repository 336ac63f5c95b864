/**
 * Products as balanced trees. In every round but the last, a cell with too many operands for the rounds that are left
 * replaces pairs of them by their product; the pair that most cells want comes first, so that it is computed once.
 */

/** An inner product: computed per batch, relinearised and rescaled. */
export interface TreeProduct {
  id: string;
  left: string;
  right: string;
  /** Primes left after rescaling. */
  primes: number;
}

/** What a cell needs: its factors, and the primes that it is released at. */
export interface TreeInput {
  factors: readonly string[];
  primes: number;
}

/** Levels of multiplication that a product of `factors` columns takes. */
export function depthOf(factors: number): number {
  return 32 - Math.clz32(factors - 1);
}

/**
 * Reduces every cell to one or two operands.
 * @returns for each cell its operands, and all inner products, operands before their uses.
 */
export function buildTrees(cells: readonly TreeInput[]): { operands: string[][]; products: TreeProduct[] } {
  const products = new Map<string, TreeProduct>();
  const work = cells.map((cell) => ({ operands: [...cell.factors], primes: cell.primes, round: 0 }));
  for (;;) {
    // Cells at the same level of multiplication counted from the release, and at the same primes, can share.
    const open = work.filter((cell) => cell.operands.length > 2);
    if (open.length === 0) break;
    const rounds = Math.max(...open.map((cell) => depthOf(cell.operands.length)));
    const turn = open.filter((cell) => depthOf(cell.operands.length) === rounds);
    for (const primes of [...new Set(turn.map((cell) => cell.primes))].sort((a, b) => a - b))
      pairUp(
        turn.filter((cell) => cell.primes === primes),
        rounds,
        primes + rounds - 2,
        products,
      );
  }
  return { operands: work.map((cell) => cell.operands), products: [...products.values()] };
}

function pairUp(
  cells: { operands: string[] }[],
  rounds: number,
  primes: number,
  products: Map<string, TreeProduct>,
): void {
  const limit = 2 ** (rounds - 1);
  // Products of this round wait here, so that no pair takes one.
  const made = new Map<(typeof cells)[number], string[]>(cells.map((cell) => [cell, []]));
  const wanting = (cell: (typeof cells)[number]): boolean =>
    cell.operands.length + (made.get(cell)?.length ?? 0) > limit;
  for (;;) {
    const active = cells.filter(wanting);
    if (active.length === 0) break;
    const [left, right] = commonestPair(active);
    const id = `${left}*${right}@${primes}`;
    products.set(id, { id, left, right, primes });
    for (const cell of active) if (takePair(cell.operands, left, right)) made.get(cell)?.push(id);
  }
  for (const cell of cells) cell.operands = [...cell.operands, ...(made.get(cell) ?? [])].sort();
}

function commonestPair(cells: readonly { operands: string[] }[]): [string, string] {
  const counts = new Map<string, { pair: [string, string]; count: number }>();
  for (const { operands } of cells) {
    const seen = new Set<string>();
    operands.forEach((a, i) => {
      for (const b of operands.slice(i + 1)) {
        const pair: [string, string] = a <= b ? [a, b] : [b, a];
        const key = pair.join('*');
        if (seen.has(key)) continue;
        seen.add(key);
        const entry = counts.get(key);
        if (entry) entry.count += 1;
        else counts.set(key, { pair, count: 1 });
      }
    });
  }
  const [best] = [...counts.entries()].sort(([a, x], [b, y]) => y.count - x.count || (a < b ? -1 : 1));
  if (!best) throw new RangeError('no pair is left to multiply');
  return best[1].pair;
}

function takePair(operands: string[], left: string, right: string): boolean {
  const rest = [...operands];
  for (const name of [left, right]) {
    const at = rest.indexOf(name);
    if (at < 0) return false;
    rest.splice(at, 1);
  }
  operands.splice(0, operands.length, ...rest);
  return true;
}
