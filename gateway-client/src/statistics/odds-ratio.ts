import { ClientError } from '../errors.js';
import { normalCritical } from './distributions.js';

/** Counts of a 2x2 table: exposed with and without the event, not exposed with and without it. */
export interface TwoByTwo {
  exposedEvent: number;
  exposedNone: number;
  unexposedEvent: number;
  unexposedNone: number;
}

/** An odds ratio with its confidence interval. */
export interface OddsRatio {
  estimate: number;
  lower: number;
  upper: number;
  /** Standard error of the logarithm of the estimate. */
  logStandardError: number;
  /** Whether 0.5 was added to every cell because one was empty (Haldane 1956; Anscombe 1956). */
  corrected: boolean;
}

/**
 * The odds ratio of a 2x2 table with Woolf's interval: log(OR) +- z * sqrt(1/a + 1/b + 1/c + 1/d).
 * The cells are released counts, which are exact, so the result carries no error of the encryption.
 *
 * Woolf B. On estimating the relation between blood group and disease. Ann Hum Genet 1955;19:251-253.
 * Same figures as `oddsratio.wald` of R's epitools and `Table2x2` of statsmodels.
 *
 * @param level - confidence level, 0.95 by default.
 * @throws ClientError `STATISTIC_UNDEFINED` when a row or a column of the table is empty, a count is none, or the
 *   level is not between 0 and 1.
 */
export function oddsRatio(table: TwoByTwo, level = 0.95): OddsRatio {
  const { exposedEvent, exposedNone, unexposedEvent, unexposedNone } = table;
  const cells = [exposedEvent, exposedNone, unexposedEvent, unexposedNone];
  if (cells.some((count) => !Number.isSafeInteger(count) || count < 0)) {
    throw new ClientError('STATISTIC_UNDEFINED', 'An odds ratio needs four counts.');
  }
  const margins = [
    exposedEvent + exposedNone,
    unexposedEvent + unexposedNone,
    exposedEvent + unexposedEvent,
    exposedNone + unexposedNone,
  ];
  if (margins.includes(0)) {
    throw new ClientError(
      'STATISTIC_UNDEFINED',
      'The odds ratio of a table with an empty row or column is not defined.',
    );
  }
  const corrected = cells.includes(0);
  const [a = 0, b = 0, c = 0, d = 0] = cells.map((count) => (corrected ? count + 0.5 : count));
  const estimate = (a * d) / (b * c);
  const logStandardError = Math.sqrt(1 / a + 1 / b + 1 / c + 1 / d);
  const reach = normalCritical(level) * logStandardError;
  return {
    estimate,
    lower: estimate * Math.exp(-reach),
    upper: estimate * Math.exp(reach),
    logStandardError,
    corrected,
  };
}
