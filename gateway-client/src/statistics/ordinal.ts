/** The modified Rankin scale and other ordered outcomes: distribution, and shift between two groups. */
import { Matrix } from 'ml-matrix';
import { ClientError } from '../errors.js';
import { requireCounts, total, undefinedStatistic } from './common.js';
import { normalCritical, normalUpperTail } from './distributions.js';
import { inverseIfAny } from './inverse.js';

/** Counts of two groups over the levels of one scale, lowest level first. */
export interface TwoDistributions {
  exposed: readonly number[];
  unexposed: readonly number[];
}

/** One level of a distribution. */
export interface DistributionLevel {
  count: number;
  proportion: number;
  /** Share of the patients at this level or a lower one. */
  cumulative: number;
}

/** The common odds ratio of the exposed for a higher level, at any cut of the scale. */
export interface CommonOddsRatio {
  estimate: number;
  lower: number;
  upper: number;
  logStandardError: number;
  statistic: number;
  pValue: number;
  /** Log odds of the unexposed for a level at or below each cut. */
  thresholds: number[];
}

/**
 * How patients are distributed over a scale.
 *
 * Cells: the counts by the scale's variable.
 *
 * @throws ClientError `STATISTIC_UNDEFINED` for an empty group.
 */
export function distribution(counts: readonly number[]): DistributionLevel[] {
  requireCounts('The distribution', counts);
  const patients = total(counts);
  if (patients === 0) throw undefinedStatistic('The distribution', 'there are no patients');
  let below = 0;
  return counts.map((count) => {
    below += count;
    return { count, proportion: count / patients, cumulative: below / patients };
  });
}

const MAXIMUM_ITERATIONS = 200;
/** Newton's decrement: far below what the standard error could show. */
const TOLERANCE = 1e-18;
/** A share of the first information at which nothing is left to tell the shift by. */
const NO_INFORMATION = 1e-8;

/**
 * The shift of an ordered outcome: maximum likelihood of the proportional-odds model
 * logit P(level <= j) = threshold_j - log(OR) for the exposed, with Wald's interval from the observed information, as
 * `polr` of R's MASS and `OrderedModel` of statsmodels. Above 1: the exposed have higher levels.
 *
 * Cells: the counts of a crosstab of group and scale. McCullagh P. J R Stat Soc B 1980;42:109-142; for the modified
 * Rankin scale Bath PMW et al. Stroke 2012;43:1171-1178. Levels that nobody has are left out.
 *
 * @throws ClientError `STATISTIC_UNDEFINED` for fewer than two levels or an empty group; `NOT_CONVERGED` where the
 *   groups have too few levels in common, so that the estimate is 0 or infinite.
 */
export function commonOddsRatio({ exposed, unexposed }: TwoDistributions, level = 0.95): CommonOddsRatio {
  requireCounts('The common odds ratio', [...exposed, ...unexposed]);
  if (exposed.length !== unexposed.length || total(exposed) === 0 || total(unexposed) === 0)
    throw undefinedStatistic('The common odds ratio', 'a group is empty or has another scale');
  const used = exposed.map((count, j) => [count, unexposed[j] ?? 0] as const).filter(([a, b]) => a + b > 0);
  if (used.length < 2) throw undefinedStatistic('The common odds ratio', 'all patients have one level');
  const patients = total(used.flat());
  let below = 0;
  const start = used.slice(0, -1).map(([a, b]) => {
    below += a + b;
    return Math.log(below / (patients - below));
  });
  let parameters = [...start, 0];
  let value = derivatives(used, parameters);
  const shift = parameters.length - 1;
  const first = value.expected.get(shift, shift);
  for (let iteration = 0; iteration < MAXIMUM_ITERATIONS; iteration++) {
    if (!(value.expected.get(shift, shift) > NO_INFORMATION * first)) break;
    const step = ascent(value);
    if (!step) break;
    const decrement = total(step.map((part, i) => part * (value.gradient[i] ?? 0)));
    if (decrement <= TOLERANCE) {
      const maximum = parameters.map((parameter, i) => parameter + (step[i] ?? 0));
      const covariance = inverseIfAny(derivatives(used, maximum).observed);
      if (!covariance) break;
      return describe(maximum, covariance, level);
    }
    ({ parameters, value } = improved(used, parameters, step, value));
  }
  throw new ClientError(
    'NOT_CONVERGED',
    'The common odds ratio has no maximum: too few levels are common to both groups.',
  );
}

/**
 * Newton's step where the observed information has an inverse, which is so near the maximum; else Fisher's. Without one
 * the parameters have run away.
 */
function ascent({ observed, expected, gradient }: Derivatives): number[] | undefined {
  const inverse = inverseIfAny(observed) ?? inverseIfAny(expected);
  return inverse?.mmul(Matrix.columnVector(gradient)).to1DArray();
}

interface Derivatives {
  logLikelihood: number;
  gradient: number[];
  /** Minus the second derivatives: what the standard error comes from. */
  observed: Matrix;
  /** The mean of the same: positive definite everywhere. */
  expected: Matrix;
}

type LevelCounts = readonly (readonly [exposed: number, unexposed: number])[];

/** Halves the step until the likelihood rises by a good part of what its slope promises (Armijo's rule). */
function improved(
  levels: LevelCounts,
  parameters: readonly number[],
  step: readonly number[],
  { logLikelihood, gradient }: Derivatives,
): { parameters: number[]; value: Derivatives } {
  const slope = total(step.map((part, i) => part * (gradient[i] ?? 0)));
  const rounding = 1e-12 * Math.abs(logLikelihood);
  for (let factor = 1; factor > 1e-10; factor /= 2) {
    const next = parameters.map((parameter, i) => parameter + factor * (step[i] ?? 0));
    const value = derivatives(levels, next);
    if (value.logLikelihood >= logLikelihood + 0.1 * factor * slope - rounding)
      return { parameters: next, value };
  }
  throw new ClientError('NOT_CONVERGED', 'The common odds ratio has no maximum that the steps lead to.');
}

function derivatives(levels: LevelCounts, parameters: readonly number[]): Derivatives {
  const size = parameters.length;
  const result: Derivatives = {
    logLikelihood: 0,
    gradient: new Array<number>(size).fill(0),
    observed: Matrix.zeros(size, size),
    expected: Matrix.zeros(size, size),
  };
  [0, 1].forEach((group) => {
    const patients = total(levels.map((counts) => counts[group] ?? 0));
    const shift = group === 0 ? (parameters[size - 1] ?? 0) : 0;
    levels.forEach((counts, j) => {
      const count = counts[group] ?? 0;
      const upper = j < levels.length - 1 ? (parameters[j] ?? 0) - shift : Infinity;
      const lower = j > 0 ? (parameters[j - 1] ?? 0) - shift : -Infinity;
      // The difference of two distribution functions, without cancellation.
      const probability = logistic(upper) * logistic(-lower) * -Math.expm1(lower - upper);
      const { first, second } = slopes(upper, lower, j, group === 0, size);
      if (count > 0) result.logLikelihood += count * Math.log(probability);
      for (const [a, da] of first) {
        result.gradient[a] = (result.gradient[a] ?? 0) + (count * da) / probability;
        for (const [b, db] of first) {
          add(result.observed, a, b, (count * da * db) / probability ** 2);
          add(result.expected, a, b, (patients * da * db) / probability);
        }
      }
      for (const [a, b, amount] of second) add(result.observed, a, b, (-count * amount) / probability);
    });
  });
  return result;
}

/** First and second derivatives of a level's probability by the parameters that move it: its cuts and the shift. */
function slopes(
  upper: number,
  lower: number,
  level: number,
  isExposed: boolean,
  size: number,
): { first: Map<number, number>; second: [number, number, number][] } {
  const first = new Map<number, number>();
  const second: [number, number, number][] = [];
  const shift = size - 1;
  for (const [index, cut, sign] of [
    [level, upper, 1],
    [level - 1, lower, -1],
  ] as const) {
    if (index < 0 || index >= shift) continue;
    const density = sign * logistic(cut) * logistic(-cut);
    const slope = density * (1 - 2 * logistic(cut));
    first.set(index, density);
    second.push([index, index, slope]);
    if (!isExposed) continue;
    first.set(shift, (first.get(shift) ?? 0) - density);
    second.push([index, shift, -slope], [shift, index, -slope], [shift, shift, slope]);
  }
  return { first, second };
}

function add(matrix: Matrix, row: number, column: number, amount: number): void {
  matrix.set(row, column, matrix.get(row, column) + amount);
}

function logistic(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

function describe(parameters: readonly number[], covariance: Matrix, level: number): CommonOddsRatio {
  const last = parameters.length - 1;
  const log = parameters[last] ?? 0;
  const logStandardError = Math.sqrt(covariance.get(last, last));
  const reach = normalCritical(level) * logStandardError;
  const statistic = log / logStandardError;
  return {
    estimate: Math.exp(log),
    lower: Math.exp(log - reach),
    upper: Math.exp(log + reach),
    logStandardError,
    statistic,
    pValue: 2 * normalUpperTail(Math.abs(statistic)),
    thresholds: parameters.slice(0, last),
  };
}
