export * from './account.js';
export * from './conversion.js';
export * from './mechanism.js';
