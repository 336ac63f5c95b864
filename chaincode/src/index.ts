/** What clients of the contracts import: schemas, names, digests, signatures and errors; no contract code. */
export * from './api/anchors.js';
export * from './api/canonical.js';
export * from './api/datasets.js';
export * from './api/decisions.js';
export * from './api/epochs.js';
export * from './api/institutions.js';
export * from './api/jobs.js';
export * from './api/merkle.js';
export * from './api/permissions.js';
export { type LedgerEvent, ledgerEvent, ROLE_ATTRIBUTE, type Role, roles } from './api/primitives.js';
export * from './api/records.js';
export * from './api/researchers.js';
export * from './api/signing.js';
export * from './api/transactions.js';
export * from './evaluation/limits.js';
export * from './evaluation/plan.js';
export * from './errors.js';
export { ceremonySteps } from './states/machines.js';
