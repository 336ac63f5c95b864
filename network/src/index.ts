export {
  ATTRIBUTE_OID,
  attributesOfPem,
  certificateAttributes,
  CertificateAuthority,
  issueNetwork,
  ordererOrganizationPaths,
  peerOrganizationPaths,
} from './certificates/index.js';
export { parseConfig, readConfigFile, type NetworkConfig, type ResolvedConfig } from './config/index.js';
export { freePortRange } from './freePorts.js';
export { NetworkError, networkErrorCodes, type NetworkErrorCode } from './errors.js';
export { clientProfile, type ClientProfile } from './operations/clientProfile.js';
export { createChannel } from './operations/createChannel.js';
export { deployChaincode, type DeployOptions, type DeployRequest } from './operations/deployChaincode.js';
export { down, stop } from './operations/down.js';
export {
  addOrganization,
  removeOrganization,
  type AddedOrganization,
  type ChannelPolicies,
} from './operations/members.js';
export { exportProfiles } from './operations/exportProfiles.js';
export { readProfiles, type ProfiledOrganization } from './operations/readProfiles.js';
export { type NetworkInfo } from './operations/info.js';
export { type StartOptions } from './operations/startDaemon.js';
export { status, type NetworkStatus } from './operations/status.js';
export { collectBuffersWithHeap } from './daemon/garbageCollection.js';
export {
  identifyProcess,
  isRunning,
  killGroup,
  type ProcessIdentity,
  processIdentitySchema,
  waitForExit,
} from './daemon/processes.js';
export { up } from './operations/up.js';
