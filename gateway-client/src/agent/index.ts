export type { AgentContext, AgentEvent, Step } from './context.js';
export {
  appendRecords,
  correctBatch,
  moveDataset,
  usesOf,
  withdrawConsent,
  withdrawDataset,
  type ConsentWithdrawal,
} from './dataset.js';
export { approve, inbox, refuse, type InboxItem } from './inbox.js';
export { Evaluators, type EpochKeys } from './evaluators.js';
export { agentSteps, follow, type FollowedStep, type FollowOptions } from './follow.js';
export {
  enroll,
  foundConsortium,
  initAgent,
  openAgent,
  storeFolderOf,
  type Agent,
  type AgentConfig,
  type AgentSurroundings,
  type ZoneAddress,
  rotateKeys,
} from './open.js';
export { AgentLease } from './lease.js';
export { AgentMetrics } from './metrics.js';
export { readPolicyFile, writePolicyFile } from './policy-file.js';
export { boundedPolicy, type Decision, type InstitutionPolicy, type PolicyBounds } from './policy.js';
export { ownPatients, type OwnPatients } from './own-patients.js';
export type { LoadedBatch } from './own-records.js';
export { publishDataset, publishRows, type NewDataset, type StreamedDataset } from './publish.js';
export { replayJob } from './replay.js';
export { serveInstitution, type AgentObserver, type ServeOptions } from './serve.js';
export { Vault } from './vault.js';
