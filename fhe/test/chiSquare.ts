/** Chi-square statistics as scores that are nearly normal, so that one threshold serves every degree of freedom. */

/** Six deviations: a sound test fails once in 10^9 runs. */
export const limit = 6;

/**
 * The score of a chi-square statistic (Wilson, Hilferty, "The Distribution of Chi-Square", PNAS 1931).
 *
 * @param freedom degrees of freedom
 */
export function normalScore(statistic: number, freedom: number): number {
  const spread = 2 / (9 * freedom);
  return (Math.cbrt(statistic / freedom) - (1 - spread)) / Math.sqrt(spread);
}

/** The score of values below a modulus against the uniform distribution. */
export function uniformScore(values: Iterable<bigint>, modulus: bigint, bins: number): number {
  const counts = new Array<number>(bins).fill(0);
  let total = 0;
  for (const value of values) {
    const bin = Number((value * BigInt(bins)) / modulus);
    counts[bin] = (counts[bin] as number) + 1;
    total++;
  }
  const expected = total / bins;
  const statistic = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  return normalScore(statistic, bins - 1);
}
