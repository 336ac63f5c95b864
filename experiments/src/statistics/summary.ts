import { linearRegression, linearRegressionLine, quantileSorted, rSquared } from 'simple-statistics';

/** A median with a distribution-free interval. */
export interface Summary {
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly count: number;
}

/**
 * The median of a sample with an interval of order statistics that covers the true median with at least 95%; of fewer
 * than six values it is their whole range, which covers less.
 */
export function summarize(values: readonly number[]): Summary {
  const sorted = [...values].sort((a, b) => a - b);
  const count = sorted.length;
  const rank = lowerRank(count);
  return {
    median: quantileSorted(sorted, 0.5),
    low: sorted[rank] ?? NaN,
    high: sorted[count - 1 - rank] ?? NaN,
    count,
  };
}

/** How many values at each end lie outside: the largest r with 2 P(Binomial(n, 1/2) <= r) <= 5%. */
function lowerRank(count: number): number {
  let term = 0.5 ** count;
  let below = 0;
  for (let rank = 0; ; rank++) {
    below += term;
    if (2 * below > 0.05) return Math.max(0, rank - 1);
    term *= (count - rank) / (rank + 1);
  }
}

/** A law y = a + b x, and how much of the variance it explains. */
export interface LinearFit {
  readonly intercept: number;
  readonly slope: number;
  readonly rSquared: number;
}

export function fitLine(points: readonly (readonly [number, number])[]): LinearFit {
  const pairs = points.map(([x, y]) => [x, y]);
  const line = linearRegression(pairs);
  return { intercept: line.b, slope: line.m, rSquared: rSquared(pairs, linearRegressionLine(line)) };
}

/** A law y = factor x^exponent, fitted on logarithms. */
export function fitPower(points: readonly (readonly [number, number])[]): {
  factor: number;
  exponent: number;
  rSquared: number;
} {
  const fit = fitLine(points.map(([x, y]) => [Math.log(x), Math.log(y)] as const));
  return { factor: Math.exp(fit.intercept), exponent: fit.slope, rSquared: fit.rSquared };
}
