export * from './context.js';
export { callSeal, SealHandle } from './instance.js';
export * from './localKeys.js';
export * from './objects.js';
