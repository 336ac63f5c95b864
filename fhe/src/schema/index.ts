export * from './columns.js';
export { type Concept, terminologies } from './concepts.js';
export * from './schema.js';
