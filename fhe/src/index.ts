export * from './errors.js';
export * from './params/index.js';
export * from './bytes/index.js';
export * from './seal/index.js';
