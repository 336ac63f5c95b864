export { fieldPrime } from './field.js';
export { decodeVector, encodeVector, type FixedPointFormat, requireFormat } from './fixedPoint.js';
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
