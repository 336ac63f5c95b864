import { requireCounts, total, undefinedStatistic } from './common.js';
import type { Alternative } from './distributions.js';
import type { TwoByTwo } from './odds-ratio.js';

/** Tables that differ from the observed one by rounding alone count as equally likely, as in R. */
const RELATIVE_ERROR = 1 + 1e-7;

/**
 * Fisher's exact test of a 2x2 table: the p value given both margins. Two-sided: all tables that are at most as likely
 * as the observed one, as `fisher.test` of R and `fisher_exact` of SciPy. `greater` speaks of an odds ratio above 1.
 *
 * Cells: the four counts of a crosstab. Fisher RA. J R Stat Soc 1935;98:39-82.
 *
 * @throws ClientError `STATISTIC_UNDEFINED` for an empty table.
 */
export function fisherExact(table: TwoByTwo, alternative: Alternative = 'two-sided'): { pValue: number } {
  const { exposedEvent: a, exposedNone: b, unexposedEvent: c, unexposedNone: d } = table;
  requireCounts("Fisher's test", [a, b, c, d]);
  if (a + b + c + d === 0) throw undefinedStatistic("Fisher's test", 'there are no patients');
  const lowest = Math.max(0, a - d);
  const likelihoods = hypergeometric(lowest, Math.min(a + b, a + c), { a, b, c, d });
  const all = total(likelihoods);
  const observed = likelihoods[a - lowest] ?? 0;
  const counted = likelihoods.filter((likelihood, i) => {
    if (alternative === 'less') return lowest + i <= a;
    if (alternative === 'greater') return lowest + i >= a;
    return likelihood <= observed * RELATIVE_ERROR;
  });
  return { pValue: Math.min(1, total(counted) / all) };
}

/**
 * Likelihoods of every first cell from `lowest` to `highest`, up to a common factor: by the recurrence from the mode,
 * so that no factorial is needed and nothing overflows.
 */
function hypergeometric(
  lowest: number,
  highest: number,
  { a, b, c, d }: Record<'a' | 'b' | 'c' | 'd', number>,
): number[] {
  const row = a + b;
  const column = a + c;
  // P(k + 1) / P(k)
  const ratio = (k: number): number => ((row - k) * (column - k)) / ((k + 1) * (d - a + k + 1));
  const mode = Math.min(
    highest,
    Math.max(lowest, Math.floor(((row + 1) * (column + 1)) / (a + b + c + d + 2))),
  );
  const values = new Array<number>(highest - lowest + 1).fill(0);
  values[mode - lowest] = 1;
  for (let k = mode; k < highest; k++) values[k + 1 - lowest] = (values[k - lowest] ?? 0) * ratio(k);
  for (let k = mode - 1; k >= lowest; k--) values[k - lowest] = (values[k + 1 - lowest] ?? 0) / ratio(k);
  return values;
}
