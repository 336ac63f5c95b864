export * from './agent/index.js';
export * from './connect/index.js';
export * from './endorsement/index.js';
/** Parts of the demo that experiments build on. */
export * as demo from './demo/index.js';
export { ClientError, type ClientErrorCode } from './errors.js';
export * from './load/index.js';
export * from './pictures/index.js';
export * from './researcher/index.js';
export { Resources } from './resources.js';
export * from './statistics/index.js';
