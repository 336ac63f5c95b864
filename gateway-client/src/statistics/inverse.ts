import { CholeskyDecomposition, Matrix } from 'ml-matrix';
import { undefinedStatistic } from './common.js';

/** Smallest pivot, of a matrix with ones on the diagonal, that is not taken for rounding. */
const SMALLEST_PIVOT = 1e-11;

/**
 * The inverse of an information or cross-product matrix. It is scaled to ones on the diagonal before Cholesky's
 * decomposition, so that the precision does not depend on the terms' units.
 *
 * @param matrix - symmetric up to rounding.
 * @param statistic - what the message says is not defined.
 * @throws ClientError `STATISTIC_UNDEFINED` for a matrix that is not positive definite: terms depend on each other.
 */
export function inverseOf(matrix: Matrix, statistic = 'The model'): Matrix {
  const inverse = inverseIfAny(matrix);
  if (inverse) return inverse;
  throw undefinedStatistic(statistic, 'its terms depend on each other');
}

/** The same, or undefined for a matrix that is not positive definite. */
export function inverseIfAny(matrix: Matrix): Matrix | undefined {
  const scale = matrix.diagonal().map((value) => 1 / Math.sqrt(value));
  const scaled = matrix.clone();
  scaled.apply((i, j) => {
    const both = (matrix.get(i, j) + matrix.get(j, i)) / 2;
    scaled.set(i, j, i === j ? 1 : both * ((scale[i] ?? 0) * (scale[j] ?? 0)));
  });
  if (!scale.every(Number.isFinite)) return undefined;
  const decomposition = new CholeskyDecomposition(scaled);
  const pivots = decomposition.lowerTriangularMatrix.diagonal().map((pivot) => pivot * pivot);
  if (!decomposition.isPositiveDefinite() || pivots.some((pivot) => !(pivot > SMALLEST_PIVOT)))
    return undefined;
  const inverse = decomposition.solve(Matrix.eye(matrix.rows));
  inverse.apply((i, j) => inverse.set(i, j, inverse.get(i, j) * ((scale[i] ?? 0) * (scale[j] ?? 0))));
  return inverse;
}
