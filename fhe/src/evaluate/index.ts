export * from './evaluator.js';
export { workOf, type Work } from './work.js';
