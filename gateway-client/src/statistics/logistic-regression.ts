import { Matrix } from 'ml-matrix';
import { ClientError } from '../errors.js';
import { undefinedStatistic, type Estimate } from './common.js';
import { normalCritical, normalUpperTail } from './distributions.js';
import { inverseIfAny, inverseOf } from './inverse.js';

/** What an iteration needs of all patients together, at given coefficients: sums, so that hospitals' parts add up. */
export interface LogisticAggregate {
  /** Sum over patients of (outcome - probability) times each term. */
  gradient: readonly number[];
  /** Sum over patients of probability * (1 - probability) times the products of two terms: Fisher's information. */
  information: readonly (readonly number[])[];
  /** Sum of the logarithms of the outcomes' probabilities; with it a step that leads away is halved. */
  logLikelihood?: number;
}

/** Answers the aggregate at given coefficients: in the clear, or as one released job for each call. */
export type LogisticOracle = (coefficients: readonly number[]) => Promise<LogisticAggregate>;

/** One patient: the terms, the intercept's 1 among them, and whether the outcome happened. */
export interface LogisticRow {
  terms: readonly number[];
  outcome: boolean;
}

/** One coefficient, on the scale of log odds, and as an odds ratio. */
export interface LogisticCoefficient extends Estimate {
  term: string;
  statistic: number;
  pValue: number;
  oddsRatio: { estimate: number; lower: number; upper: number };
}

/** A fitted logistic model. */
export interface LogisticRegression {
  coefficients: LogisticCoefficient[];
  covariance: number[][];
  logLikelihood?: number;
  /** Aggregates that were asked for: each is a release that is charged. */
  releases: number;
}

/** Options of {@link logisticRegression}. */
export interface LogisticOptions {
  /** Newton's decrement at which the coefficients count as those of the maximum. */
  tolerance?: number;
  maximumReleases?: number;
  level?: number;
  signal?: AbortSignal;
}

/**
 * Logistic regression to the exact maximum likelihood by Newton's method on aggregates, as `glm` of R and `Logit` of
 * statsmodels: sums over hospitals are sums over patients, so the fit is that of the pooled records.
 *
 * Cells: for every iteration the gradient and the information at the coefficients so far, as many as there are terms
 * and pairs of terms. Cox DR. J R Stat Soc B 1958;20:215-242; Wu Y et al. (GLORE). J Am Med Inform Assoc
 * 2012;19:758-764.
 *
 * @throws ClientError `NOT_CONVERGED` where the outcome is separated or the noise is too large, `CANCELLED`;
 *   `STATISTIC_UNDEFINED` for terms that depend on each other, and a level that nobody has.
 */
export async function logisticRegression(
  terms: readonly string[],
  oracle: LogisticOracle,
  { tolerance = 1e-12, maximumReleases = 30, level = 0.95, signal }: LogisticOptions = {},
): Promise<LogisticRegression> {
  let coefficients = terms.map(() => 0);
  let step = coefficients;
  let first: LogisticAggregate | undefined;
  let last: LogisticAggregate | undefined;
  for (let releases = 1; releases <= maximumReleases; releases++) {
    if (signal?.aborted) throw new ClientError('CANCELLED', 'The regression was cancelled.');
    const aggregate = checked(terms, await oracle(coefficients));
    if (!first) requireEveryTerm(terms, (first = aggregate));
    if (isSeparated(aggregate, first)) throw separated();
    if (last && isWorse(aggregate, last)) {
      step = step.map((part) => part / 2);
      coefficients = coefficients.map((value, i) => value - (step[i] ?? 0));
      continue;
    }
    last = aggregate;
    const information = new Matrix(aggregate.information.map((row) => [...row]));
    // Terms that do not depend on each other at first have run away if they do later.
    const covariance = aggregate === first ? inverseOf(information) : inverseIfAny(information);
    if (!covariance) throw separated();
    step = covariance.mmul(Matrix.columnVector([...aggregate.gradient])).to1DArray();
    const decrement = step.reduce((sum, part, i) => sum + part * (aggregate.gradient[i] ?? 0), 0);
    coefficients = coefficients.map((value, i) => value + (step[i] ?? 0));
    if (decrement <= tolerance) {
      const { logLikelihood } = aggregate;
      return {
        coefficients: describe(terms, coefficients, covariance, level),
        covariance: covariance.to2DArray(),
        ...(logLikelihood !== undefined && { logLikelihood }),
        releases,
      };
    }
  }
  throw new ClientError(
    'NOT_CONVERGED',
    `The regression did not end within ${maximumReleases} releases: ${growing(terms, coefficients, last)} may separate those with the outcome from the others, for it grew most.`,
  );
}

/** The term whose coefficient and standard error are largest together: both of what separates grow without end. */
function growing(
  terms: readonly string[],
  coefficients: readonly number[],
  last: LogisticAggregate | undefined,
): string {
  const sizes = coefficients.map((value, i) => Math.abs(value) / Math.sqrt(last?.information[i]?.[i] ?? 1));
  return terms[sizes.indexOf(Math.max(...sizes))] ?? '';
}

/** The aggregate of one hospital's patients. */
export function logisticAggregate(
  rows: Iterable<LogisticRow>,
  coefficients: readonly number[],
): Required<LogisticAggregate> {
  const size = coefficients.length;
  const gradient = new Array<number>(size).fill(0);
  const information = gradient.map(() => new Array<number>(size).fill(0));
  let logLikelihood = 0;
  for (const { terms, outcome } of rows) {
    let logit = 0;
    for (let i = 0; i < size; i++) logit += (coefficients[i] ?? 0) * (terms[i] ?? 0);
    const probability = 1 / (1 + Math.exp(-logit));
    const weight = probability * (1 - probability);
    const residual = (outcome ? 1 : 0) - probability;
    // log(1 + exp(x)) without overflow, of the logit of what did not happen
    const other = outcome ? -logit : logit;
    logLikelihood -= Math.max(other, 0) + Math.log1p(Math.exp(-Math.abs(other)));
    for (let i = 0; i < size; i++) {
      const x = terms[i] ?? 0;
      gradient[i] = (gradient[i] ?? 0) + residual * x;
      const line = information[i] ?? [];
      for (let j = 0; j < size; j++) line[j] = (line[j] ?? 0) + weight * x * (terms[j] ?? 0);
    }
  }
  return { gradient, information, logLikelihood };
}

/** The aggregate of all hospitals from those of each. */
export function addAggregates(parts: readonly Required<LogisticAggregate>[]): Required<LogisticAggregate> {
  const [first, ...others] = parts;
  if (!first) throw undefinedStatistic('The regression', 'there is no hospital');
  return others.reduce(
    (sum, part) => ({
      gradient: sum.gradient.map((value, i) => value + (part.gradient[i] ?? 0)),
      information: sum.information.map((row, i) =>
        row.map((value, j) => value + (part.information[i]?.[j] ?? 0)),
      ),
      logLikelihood: sum.logLikelihood + part.logLikelihood,
    }),
    first,
  );
}

/** A term's share of the first information at which no probability that it moves is left between 0 and 1. */
const NO_INFORMATION = 1e-8;

function isSeparated({ information }: LogisticAggregate, first: LogisticAggregate): boolean {
  return information.some((row, i) => !((row[i] ?? 0) > NO_INFORMATION * (first.information[i]?.[i] ?? 0)));
}

/** A level that nobody has says nothing, and separates nobody. */
function requireEveryTerm(terms: readonly string[], { information }: LogisticAggregate): void {
  const none = terms.find((_, i) => !((information[i]?.[i] ?? 0) > 0));
  if (none !== undefined) throw undefinedStatistic('The regression', `${none} is 0 in every patient`);
}

function separated(): ClientError {
  return new ClientError(
    'NOT_CONVERGED',
    'The regression has no maximum: a term, or several together, separate those with the outcome from the others.',
  );
}

function isWorse(now: LogisticAggregate, before: LogisticAggregate): boolean {
  const [a, b] = [now.logLikelihood, before.logLikelihood];
  // Rounding at the maximum is no step away from it.
  return a !== undefined && b !== undefined && !(a >= b - 1e-9 * Math.abs(b));
}

function checked(terms: readonly string[], aggregate: LogisticAggregate): LogisticAggregate {
  const { gradient, information } = aggregate;
  const fits =
    gradient.length === terms.length &&
    information.length === terms.length &&
    information.every((row) => row.length === terms.length) &&
    [...gradient, ...information.flat()].every(Number.isFinite);
  if (fits) return aggregate;
  throw new ClientError('RESULT_INVALID', 'An aggregate of the regression is not one number for every term.');
}

function describe(
  terms: readonly string[],
  coefficients: readonly number[],
  covariance: Matrix,
  level: number,
): LogisticCoefficient[] {
  const z = normalCritical(level);
  return terms.map((term, i) => {
    const estimate = coefficients[i] ?? 0;
    const standardError = Math.sqrt(covariance.get(i, i));
    const [lower, upper] = [estimate - z * standardError, estimate + z * standardError];
    const statistic = estimate / standardError;
    return {
      term,
      estimate,
      standardError,
      lower,
      upper,
      statistic,
      pValue: 2 * normalUpperTail(Math.abs(statistic)),
      oddsRatio: { estimate: Math.exp(estimate), lower: Math.exp(lower), upper: Math.exp(upper) },
    };
  });
}
