export { combinePublicKey, combineRelinKeys } from './collectiveKeys.js';
export * from './commitment.js';
export { type CheckResult, type CheckMessages, checkResults } from './dealingCheck.js';
export { type DisputeEvidence, judgeDealings, type Offence, type Verdict } from './dispute.js';
export { type DealingCheckMessages, KeyCeremony, type KeyCeremonyOptions } from './keyCeremony.js';
export type { Roster } from './message.js';
