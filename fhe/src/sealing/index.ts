export * from './hpke.js';
