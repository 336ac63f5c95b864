export { plan, planHash } from './plan.js';
export { ciphertextBytes, costOf } from './cost.js';
export type * from './types.js';
