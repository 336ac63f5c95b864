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
export { Evaluators } from './evaluators.js';
export { agentSteps, follow, type FollowOptions } from './follow.js';
export {
  enroll,
  foundConsortium,
  initAgent,
  openAgent,
  storeFolderOf,
  type Agent,
  type AgentConfig,
  type ZoneAddress,
} from './open.js';
export { boundedPolicy, type InstitutionPolicy, type PolicyBounds } from './policy.js';
export {
  publishDataset,
  publishRows,
  type LoadedBatch,
  type NewDataset,
  type OwnRow,
  type StreamedDataset,
} from './publish.js';
export { replayJob } from './replay.js';
export { Vault } from './vault.js';
