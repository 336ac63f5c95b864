/** The modified Rankin scale and other ordered outcomes: distribution, and shift between two groups. */
import { Matrix } from 'ml-matrix';
import { ClientError } from '../errors.js';
import { requireCounts, total, undefinedStatistic } from './common.js';
import { normalCritical, normalUpperTail } from './distributions.js';
import { inverseOf } from './inverse.js';

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

const MAXIMUM_ITERATIONS = 50;
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
 *   groups do not overlap.
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
  const first = value.information.get(shift, shift);
  for (let iteration = 0; iteration < MAXIMUM_ITERATIONS; iteration++) {
    if (!(value.information.get(shift, shift) > NO_INFORMATION * first)) break;
    const covariance = inverseOf(value.information);
    const step = covariance.mmul(Matrix.columnVector(value.gradient)).to1DArray();
    const decrement = total(step.map((part, i) => part * (value.gradient[i] ?? 0)));
    if (decrement <= TOLERANCE) {
      const maximum = parameters.map((parameter, i) => parameter + (step[i] ?? 0));
      return describe(maximum, covariance, level);
    }
    ({ parameters, value } = improved(used, parameters, step, value.logLikelihood));
  }
  throw new ClientError('NOT_CONVERGED', 'The common odds ratio has no maximum: the groups do not overlap.');
}

interface Derivatives {
  logLikelihood: number;
  gradient: number[];
  /** Minus the second derivatives. */
  information: Matrix;
}

type LevelCounts = readonly (readonly [exposed: number, unexposed: number])[];

/** Halves the step until the likelihood does not fall. */
function improved(
  levels: LevelCounts,
  parameters: readonly number[],
  step: readonly number[],
  before: number,
): { parameters: number[]; value: Derivatives } {
  for (let factor = 1; factor > 1e-6; factor /= 2) {
    const next = parameters.map((parameter, i) => parameter + factor * (step[i] ?? 0));
    const value = derivatives(levels, next);
    if (value.logLikelihood >= before - 1e-12 * Math.abs(before)) return { parameters: next, value };
  }
  throw new ClientError('NOT_CONVERGED', 'The common odds ratio has no maximum that the steps lead to.');
}

function derivatives(levels: LevelCounts, parameters: readonly number[]): Derivatives {
  const size = parameters.length;
  const shift = parameters[size - 1] ?? 0;
  const gradient = new Array<number>(size).fill(0);
  const information = Matrix.zeros(size, size);
  let logLikelihood = 0;
  levels.forEach((counts, j) => {
    counts.forEach((count, group) => {
      if (count === 0) return;
      const isExposed = group === 0;
      const upper = cut(j < levels.length - 1 ? parameters[j] : Infinity, isExposed ? shift : 0);
      const lower = cut(j > 0 ? parameters[j - 1] : -Infinity, isExposed ? shift : 0);
      const probability = upper.below - lower.below;
      logLikelihood += count * Math.log(probability);
      // Only these parameters move the probability: the cut above, the cut below, the shift.
      const first = new Map<number, number>();
      const add = (index: number, amount: number): void =>
        void first.set(index, (first.get(index) ?? 0) + amount);
      const second: [number, number, number][] = [];
      for (const [index, { density, slope }, sign] of [
        [j, upper, 1],
        [j - 1, lower, -1],
      ] as const) {
        if (index < 0 || index >= size - 1) continue;
        add(index, sign * density);
        second.push([index, index, sign * slope]);
        if (!isExposed) continue;
        add(size - 1, -sign * density);
        second.push([index, size - 1, -sign * slope], [size - 1, index, -sign * slope]);
        second.push([size - 1, size - 1, sign * slope]);
      }
      for (const [a, da] of first) {
        gradient[a] = (gradient[a] ?? 0) + (count * da) / probability;
        for (const [b, db] of first)
          information.set(a, b, information.get(a, b) + (count * da * db) / probability ** 2);
      }
      for (const [a, b, amount] of second)
        information.set(a, b, information.get(a, b) - (count * amount) / probability);
    });
  });
  return { logLikelihood, gradient, information };
}

/** Distribution, density and slope of the logistic distribution at a cut. */
function cut(
  threshold: number | undefined,
  shift: number,
): { below: number; density: number; slope: number } {
  const below = 1 / (1 + Math.exp(shift - (threshold ?? 0)));
  const density = below * (1 - below);
  return { below, density, slope: density * (1 - 2 * below) };
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
