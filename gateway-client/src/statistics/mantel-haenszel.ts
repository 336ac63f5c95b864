import { requireCounts, total, undefinedStatistic, type Test } from './common.js';
import { chiSquareUpperTail, normalCritical } from './distributions.js';
import type { TwoByTwo } from './odds-ratio.js';

const ODDS_RATIO = 'The Mantel-Haenszel odds ratio';

/** The common odds ratio of several 2x2 tables. */
export interface PooledOddsRatio {
  estimate: number;
  lower: number;
  upper: number;
  /** Standard error of the logarithm of the estimate. */
  logStandardError: number;
}

/**
 * The Mantel-Haenszel odds ratio over strata (centres, say), with the variance of Robins, Breslow and Greenland, which
 * holds for few large and for many small strata. A stratum without patients adds nothing.
 *
 * Cells: the counts of a crosstab by a third variable. Mantel N, Haenszel W. J Natl Cancer Inst 1959;22:719-748;
 * Robins J, Breslow N, Greenland S. Biometrics 1986;42:311-323. As `mantelhaen.test` of R and `StratifiedTable` of
 * statsmodels.
 *
 * @throws ClientError `STATISTIC_UNDEFINED` where no stratum compares, or the estimate is 0 or infinite.
 */
export function mantelHaenszel(strata: readonly TwoByTwo[], level = 0.95): PooledOddsRatio {
  const terms = checked(strata).map(({ a, b, c, d, n }) => ({
    p: (a + d) / n,
    q: (b + c) / n,
    r: (a * d) / n,
    s: (b * c) / n,
  }));
  const r = total(terms.map((term) => term.r));
  const s = total(terms.map((term) => term.s));
  if (r === 0 && s === 0) throw undefinedStatistic(ODDS_RATIO, 'no stratum compares');
  if (r === 0 || s === 0)
    throw undefinedStatistic(
      ODDS_RATIO,
      `it is ${r === 0 ? '0' : 'infinite'}, since cells are empty in all strata`,
    );
  const variance =
    total(terms.map((term) => term.p * term.r)) / (2 * r * r) +
    total(terms.map((term) => term.p * term.s + term.q * term.r)) / (2 * r * s) +
    total(terms.map((term) => term.q * term.s)) / (2 * s * s);
  const logStandardError = Math.sqrt(variance);
  const reach = normalCritical(level) * logStandardError;
  const estimate = r / s;
  return {
    estimate,
    lower: estimate * Math.exp(-reach),
    upper: estimate * Math.exp(reach),
    logStandardError,
  };
}

/**
 * The Cochran-Mantel-Haenszel test that the common odds ratio is 1.
 *
 * @param continuity - takes 0.5 off a difference that is at least that large, as `mantelhaen.test` of R does unless told
 *   otherwise.
 * @throws ClientError `STATISTIC_UNDEFINED`.
 */
export function cochranMantelHaenszel(
  strata: readonly TwoByTwo[],
  { continuity = false }: { continuity?: boolean } = {},
): Test {
  const usable = checked(strata).filter(({ n }) => n > 1);
  const difference = total(usable.map(({ a, b, c, n }) => a - ((a + b) * (a + c)) / n));
  const variance = total(
    usable.map(({ a, b, c, d, n }) => ((a + b) * (c + d) * (a + c) * (b + d)) / (n * n * (n - 1))),
  );
  if (variance === 0) throw undefinedStatistic('The Cochran-Mantel-Haenszel test', 'no stratum compares');
  const distance = Math.abs(difference);
  const statistic = (distance - (continuity && distance >= 0.5 ? 0.5 : 0)) ** 2 / variance;
  return { statistic, degreesOfFreedom: 1, pValue: chiSquareUpperTail(statistic, 1) };
}

/**
 * The Breslow-Day test that the strata have one odds ratio. A stratum with an empty row or column says nothing about
 * its own odds ratio, and is left out.
 *
 * Breslow NE, Day NE. Statistical methods in cancer research, volume 1. IARC 1980, section 4.4; Tarone RE. Biometrika
 * 1985;72:91-95.
 *
 * @param tarone - with Tarone's adjustment; `test_equal_odds(adjust=True)` of statsmodels.
 * @throws ClientError `STATISTIC_UNDEFINED` for fewer than two strata that say something, and as {@link mantelHaenszel}.
 */
export function breslowDay(strata: readonly TwoByTwo[], { tarone = false }: { tarone?: boolean } = {}): Test {
  const { estimate } = mantelHaenszel(strata);
  const telling = checked(strata).filter(({ a, b, c, d }) => ![a + b, c + d, a + c, b + d].includes(0));
  if (telling.length < 2)
    throw undefinedStatistic('The Breslow-Day test', 'fewer than two strata have no empty row or column');
  const parts = telling.map(({ a, b, c, d }) => {
    const expected = expectedCell(a + b, a + c, c + d, estimate);
    const variance =
      1 / (1 / expected + 1 / (a + b - expected) + 1 / (a + c - expected) + 1 / (d - a + expected));
    return { difference: a - expected, variance };
  });
  const adjustment = tarone
    ? total(parts.map(({ difference }) => difference)) ** 2 / total(parts.map(({ variance }) => variance))
    : 0;
  const statistic = total(parts.map(({ difference, variance }) => difference ** 2 / variance)) - adjustment;
  const degreesOfFreedom = parts.length - 1;
  return { statistic, degreesOfFreedom, pValue: chiSquareUpperTail(statistic, degreesOfFreedom) };
}

/** The first cell of a table with these margins and this odds ratio: the root of a quadratic within the margins. */
function expectedCell(row: number, column: number, otherRow: number, odds: number): number {
  const q = odds - 1;
  const linear = odds * (row + column) + otherRow - column;
  const root = Math.sqrt(linear * linear - 4 * q * odds * row * column);
  // The form that also holds for an odds ratio of 1; the denominator is positive for every table.
  return (2 * odds * row * column) / (linear + root);
}

type Cells = Record<'a' | 'b' | 'c' | 'd' | 'n', number>;

function checked(strata: readonly TwoByTwo[]): Cells[] {
  const cells = strata.map(({ exposedEvent: a, exposedNone: b, unexposedEvent: c, unexposedNone: d }) => ({
    a,
    b,
    c,
    d,
    n: a + b + c + d,
  }));
  requireCounts(
    'The Mantel-Haenszel method',
    cells.flatMap(({ a, b, c, d }) => [a, b, c, d]),
  );
  return cells.filter(({ n }) => n > 0);
}
