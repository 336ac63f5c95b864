/**
 * Deals whole groups of patients (countries, say) to hospitals: the largest group first, each to the hospital that has
 * the fewest patients so far. Groups of one size go in the order of their names, hospitals in the order of their
 * numbers, so that everybody deals alike.
 *
 * @param sizes - patients per group.
 * @param hospitals - how many hospitals there are.
 * @returns the hospital (0 to `hospitals` - 1) of every group.
 */
export function deal(sizes: ReadonlyMap<string, number>, hospitals: number): Map<string, number> {
  const totals = new Array<number>(hospitals).fill(0);
  const dealt = new Map<string, number>();
  const order = [...sizes].sort(([nameA, a], [nameB, b]) => b - a || (nameA < nameB ? -1 : 1));
  for (const [group, size] of order) {
    const smallest = totals.indexOf(Math.min(...totals));
    dealt.set(group, smallest);
    totals[smallest] = (totals[smallest] ?? 0) + size;
  }
  return dealt;
}
