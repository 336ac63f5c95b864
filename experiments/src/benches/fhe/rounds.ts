/**
 * Measures two things in turn, so that what else the machine does meets both alike.
 *
 * @returns seconds of each round; the first of each is not counted
 */
export async function alternate(
  rounds: number,
  ours: () => Promise<number>,
  theirs: (() => Promise<number>) | undefined,
): Promise<{ ours: number[]; theirs: number[] | null }> {
  const times = { ours: [] as number[], theirs: theirs ? ([] as number[]) : null };
  for (let round = 0; round <= rounds; round++) {
    const seconds = await ours();
    const other = await theirs?.();
    if (round === 0) continue;
    times.ours.push(seconds);
    if (other !== undefined) times.theirs?.push(other);
  }
  return times;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (middle === undefined) throw new Error('There is nothing to take the median of.');
  return middle;
}
