export { anova, welchAnova, type Anova, type AnovaTable } from './anova.js';
export { chiSquare, type ChiSquare, type CountTable } from './chi-square.js';
export type { Estimate, Interval, Test } from './common.js';
export {
  allOrNone,
  opportunityComposite,
  patientComposite,
  type MeasureOutcome,
  type QualityMeasure,
} from './composite.js';
export { correlation, correlationMatrix, type Correlation, type JointSums } from './correlation.js';
export type { Alternative } from './distributions.js';
export { fisherExact } from './fisher.js';
export {
  linearRegression,
  type Coefficient,
  type LinearRegression,
  type NormalEquations,
} from './linear-regression.js';
export { logRank, type LogRank } from './log-rank.js';
export {
  addAggregates,
  logisticAggregate,
  logisticRegression,
  type LogisticAggregate,
  type LogisticCoefficient,
  type LogisticOptions,
  type LogisticOracle,
  type LogisticRegression,
  type LogisticRow,
} from './logistic-regression.js';
export {
  breslowDay,
  cochranMantelHaenszel,
  mantelHaenszel,
  type PooledOddsRatio,
} from './mantel-haenszel.js';
export { exact, propagated, toleranceOf, type Measured } from './measured.js';
export { fixedEffect, type FixedEffect, type StudyEstimate } from './meta-analysis.js';
export {
  mean,
  sampleVariance,
  standardDeviation,
  standardError,
  sum,
  type Scaling,
  type Sums,
} from './moments.js';
export { oddsRatio, type OddsRatio, type TwoByTwo } from './odds-ratio.js';
export {
  commonOddsRatio,
  distribution,
  type CommonOddsRatio,
  type DistributionLevel,
  type TwoDistributions,
} from './ordinal.js';
export { proportion, type ProportionMethod } from './proportion.js';
export { binnedQuantile, type Bin, type BinnedQuantile } from './quantile.js';
export {
  riskDifference,
  riskRatio,
  twoProportionTest,
  type DifferenceMethod,
  type RiskRatio,
} from './risk.js';
export {
  kaplanMeier,
  medianSurvival,
  type SurvivalCounts,
  type SurvivalInterval,
  type SurvivalPoint,
  type SurvivalStep,
} from './survival.js';
export { meanInterval, tTest, type GroupMoments, type MeanDifference } from './t-test.js';
