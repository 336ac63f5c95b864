export * from './blob.js';
export * from './canonical.js';
export * from './seal.js';
export * from './words.js';
