export { exact, toleranceOf, type Measured } from './measured.js';
export { mean, sampleVariance, type Scaling, type Sums } from './moments.js';
export { oddsRatio, type OddsRatio, type TwoByTwo } from './odds-ratio.js';
