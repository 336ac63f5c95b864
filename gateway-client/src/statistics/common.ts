import { ClientError } from '../errors.js';

/** The bounds of a confidence interval. */
export interface Interval {
  lower: number;
  upper: number;
}

/** An estimate with its standard error and confidence interval. */
export interface Estimate extends Interval {
  estimate: number;
  standardError: number;
}

/** A test of a null hypothesis. */
export interface Test {
  statistic: number;
  degreesOfFreedom: number;
  pValue: number;
}

/** An error that says which statistic is not defined, and why. */
export function undefinedStatistic(statistic: string, why: string): ClientError {
  return new ClientError('STATISTIC_UNDEFINED', `${statistic} is not defined: ${why}.`);
}

/** @throws ClientError `STATISTIC_UNDEFINED` unless all are whole numbers of at least 0. */
export function requireCounts(statistic: string, counts: readonly number[]): void {
  if (counts.every((count) => Number.isSafeInteger(count) && count >= 0)) return;
  throw undefinedStatistic(statistic, 'a count is not a whole number of at least 0');
}

/** The sum of numbers. */
export function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
