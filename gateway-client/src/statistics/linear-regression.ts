import { Matrix } from 'ml-matrix';
import { undefinedStatistic, type Estimate } from './common.js';
import { fUpperTail, studentCritical, studentUpperTail } from './distributions.js';
import { inverseOf } from './inverse.js';

/** Sums of squares and products; the first term is the intercept, 1 for every patient. */
export interface NormalEquations {
  terms: readonly string[];
  /** Sum over patients of the products of two terms; the first of all is the count of patients. */
  products: readonly (readonly number[])[];
  /** Sum of the products of each term with the outcome. */
  outcomeProducts: readonly number[];
  /** Sum of squares of the outcome. */
  outcomeSquares: number;
}

/** One coefficient of a regression. */
export interface Coefficient extends Estimate {
  term: string;
  statistic: number;
  pValue: number;
}

/** A fitted linear model. */
export interface LinearRegression {
  coefficients: Coefficient[];
  /** Of the coefficients, in the order of the terms. */
  covariance: number[][];
  residualVariance: number;
  degreesOfFreedom: number;
  rSquared: number;
  adjustedRSquared: number;
  /** The test that all coefficients but the intercept are 0; NaN where there is no other. */
  overall: { statistic: number; degreesOfFreedom: [number, number]; pValue: number };
}

/**
 * Least squares by the normal equations, as `lm` of R and `OLS` of statsmodels.
 *
 * Cells: counts, sums, squares and products of the terms and the
 * outcome (`correlation` of two numbers, `variance` by a level, `crosstab` of two levels). Gauss CF. Theoria
 * combinationis 1823; Goodnight JH. Am Stat 1979;33:149-158.
 *
 * @throws ClientError `STATISTIC_UNDEFINED` for terms that depend on each other, too few patients, or an outcome that
 *   does not vary.
 */
export function linearRegression(
  { terms, products, outcomeProducts, outcomeSquares }: NormalEquations,
  level = 0.95,
): LinearRegression {
  const patients = products[0]?.[0] ?? 0;
  const degreesOfFreedom = patients - terms.length;
  if (degreesOfFreedom < 1) throw undefinedStatistic('The regression', 'there are too few patients');
  const variation = outcomeSquares - (outcomeProducts[0] ?? 0) ** 2 / patients;
  if (!(variation > 0)) throw undefinedStatistic('The regression', 'the outcome does not vary');
  const inverse = inverseOf(new Matrix(products.map((row) => [...row])));
  const right = Matrix.columnVector([...outcomeProducts]);
  const solution = inverse.mmul(right).to1DArray();
  const explained = solution.reduce((sum, value, i) => sum + value * right.get(i, 0), 0);
  const residuals = Math.max(0, outcomeSquares - explained);
  const residualVariance = residuals / degreesOfFreedom;
  const covariance = Matrix.mul(inverse, residualVariance).to2DArray();
  const critical = studentCritical(level, degreesOfFreedom);
  const coefficients = terms.map((term, i): Coefficient => {
    const estimate = solution[i] ?? 0;
    const standardError = Math.sqrt(covariance[i]?.[i] ?? 0);
    const statistic = estimate / standardError;
    return {
      term,
      estimate,
      standardError,
      lower: estimate - critical * standardError,
      upper: estimate + critical * standardError,
      statistic,
      pValue: 2 * studentUpperTail(Math.abs(statistic), degreesOfFreedom),
    };
  });
  const rSquared = 1 - residuals / variation;
  const others = terms.length - 1;
  const f = others > 0 ? (variation - residuals) / others / residualVariance : Number.NaN;
  return {
    coefficients,
    covariance,
    residualVariance,
    degreesOfFreedom,
    rSquared,
    adjustedRSquared: 1 - (residualVariance * (patients - 1)) / variation,
    overall: {
      statistic: f,
      degreesOfFreedom: [others, degreesOfFreedom],
      pValue: fUpperTail(f, others, degreesOfFreedom),
    },
  };
}
