export * from './evaluator.js';
export * from './pool.js';
export { workOf, type Work } from './work.js';
