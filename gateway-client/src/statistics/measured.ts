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
