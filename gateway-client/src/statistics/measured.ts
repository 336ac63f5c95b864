/**
 * A number that came out of an encrypted computation, with the standard deviation of the error that the encryption and
 * its release add. The error is independent of the patients' own variation, which the statistics speak of elsewhere.
 */
export interface Measured {
  value: number;
  /** Standard deviation of the error in `value`; 0 for what is exact. */
  deviation: number;
}

/** A number without error. */
export function exact(value: number): Measured {
  return { value, deviation: 0 };
}

/**
 * The tolerance within which an encrypted result has to agree with the plain one: the larger of 1e-6 relative and
 * eight standard deviations of the stated error.
 */
export function toleranceOf(measured: Measured): number {
  return Math.max(1e-6 * Math.abs(measured.value), 8 * measured.deviation);
}

/**
 * A statistic of measured numbers, with the deviation that their independent errors cause: the root of the sum of
 * squares of half the difference between the statistic one deviation above and one below each number. To first order
 * that is the delta method.
 *
 * @param statistic - a smooth function of the numbers.
 */
export function propagated(
  inputs: readonly Measured[],
  statistic: (values: readonly number[]) => number,
): Measured {
  const values = inputs.map(({ value }) => value);
  const moved = inputs.map(({ deviation }, i) => {
    if (deviation === 0) return 0;
    const at = (shift: number): number => statistic(values.with(i, (values[i] ?? 0) + shift));
    return (at(deviation) - at(-deviation)) / 2;
  });
  return { value: statistic(values), deviation: Math.hypot(...moved) };
}
