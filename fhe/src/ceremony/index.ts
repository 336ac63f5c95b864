export { combinePublicKey, combineRelinKeys } from './collectiveKeys.js';
export * from './commitment.js';
export { KeyCeremony, type KeyCeremonyOptions } from './keyCeremony.js';
export type { Roster } from './message.js';
