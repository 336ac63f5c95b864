export { fieldPrime } from './field.js';
export { decodeVector, encodeVector, type FixedPointFormat, requireFormat } from './fixedPoint.js';
export {
  COEFFICIENT_UNIT,
  LARGEST_LOGIT,
  logisticFormat,
  logisticLength,
  type LogisticSums,
  logisticSumsOf,
  logisticVector,
  MAXIMUM_TERMS,
} from './logistic.js';
export {
  addVectors,
  combineVectorShares,
  dealVector,
  openVectorShare,
  releaseVectorShare,
  shareVector,
  type VectorContext,
  type VectorReleaseRequest,
} from './vectorShare.js';
