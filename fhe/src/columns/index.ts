export * from './pack.js';
export * from './layout.js';
