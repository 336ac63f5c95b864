export { askBuilds, askRecordsBuild, differingFields, type Build } from './builds.js';
export {
  auditorClient,
  institutionClient,
  operatorClient,
  recordsClient,
  researcherClient,
  type AuditorClient,
  type ConsortiumNames,
  type InstitutionClient,
  type OperatorClient,
  type RecordsClient,
  type ResearcherClient,
  type TypedCallOptions,
  type TypedContract,
} from './clients.js';
export { connect, type ConnectOptions, type Connection } from './connection.js';
export type { EventCheckpoint, EventOptions, LedgerEvent, LedgerEvents } from './events.js';
export { connectLedger, type CallControl, type Committed, type Ledger, type LedgerCall } from './ledger.js';
export { LedgerError, type Stage } from './ledger-error.js';
export { compareMetadata, type MetadataDifference } from './metadata.js';
export { connectionProfile, readProfile, readProfiles, type ConnectionProfile } from './profile.js';
export { readProfileFolder, type ProfiledUser, type ProfileFolder } from './profileFolder.js';
export type { DigestSigner } from './signer.js';
export { callAtEvents, untilDefined } from './until.js';
export { Wake } from './wake.js';
export { withRetries, type RetryOptions } from './retry.js';
