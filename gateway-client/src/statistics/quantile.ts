import { requireCounts, total, undefinedStatistic, type Interval } from './common.js';

/** One bin of a histogram: patients whose number is above `lower` and at most `upper`. */
export interface Bin extends Interval {
  count: number;
}

/** A quantile as far as binned counts tell it. */
export interface BinnedQuantile extends Interval {
  /** By linear interpolation within the bin; the bounds are certain, this is not. */
  estimate: number;
}

/** What a product of two doubles may be off by, relative to it. */
const ROUNDING = 4 * Number.EPSILON;

/**
 * A quantile from binned counts. The sample quantile (the smallest number with at least `p` of the patients at or
 * below it, type 1 of R's `quantile`) lies between the bounds, which are those of the bin that holds it.
 *
 * Cells: the counts by a variable of bins. Hyndman RJ, Fan Y. Am Stat 1996;50:361-365.
 *
 * @param bins - in rising order, without gaps.
 * @param p - from 0 to 1: 0.5 for the median.
 * @throws ClientError `STATISTIC_UNDEFINED` without patients, or for bins that do not follow each other.
 */
export function binnedQuantile(bins: readonly Bin[], p: number): BinnedQuantile {
  const counts = bins.map(({ count }) => count);
  requireCounts('The quantile', counts);
  const patients = total(counts);
  if (patients === 0 || !(p >= 0 && p <= 1))
    throw undefinedStatistic('The quantile', 'there are no patients, or it is not between 0 and 1');
  if (bins.some(({ lower, upper }, i) => lower >= upper || (i > 0 && bins[i - 1]?.upper !== lower)))
    throw undefinedStatistic('The quantile', 'the bins do not follow each other');
  // 0.07 of 100 patients are 7 of them, though the product of the doubles is a little above.
  const share = p * patients;
  const rank = Math.max(1, Math.ceil(share - ROUNDING * Math.max(1, share)));
  let below = 0;
  for (const { lower, upper, count } of bins) {
    if (below + count >= rank)
      return {
        lower,
        upper,
        estimate: lower + ((upper - lower) * Math.max(0, share - below)) / count,
      };
    below += count;
  }
  throw undefinedStatistic('The quantile', 'the counts do not add up');
}
