export * from './parameterSet.js';
export * from './standard.js';
