export { cellValue, type CombineRequest, combineShares, roundedCount } from './combine.js';
export { type ByteStream, discreteGaussian } from './gaussian.js';
export { HolderKey, type HolderKeyInfo } from './holderKey.js';
export type { Rational } from './rational.js';
export { type Coefficient, lagrange, releaseShare, type ReleaseRequest, sumOfC0 } from './share.js';
export {
  type CarriedRequest,
  type CarriedShare,
  combineCarriedShares,
  decodeShare,
  encodeShare,
  releaseCarriedShare,
} from './carried.js';
export * from './committee.js';
export * from './evaluated.js';
export {
  answerRelease,
  type ReleaseEntry,
  type ReleaseIdentity,
  releaseIdentity,
  ReleaseJournal,
} from './journal.js';
export * from './indicatorCheck.js';
