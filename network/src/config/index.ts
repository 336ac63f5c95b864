export { parseConfig, readConfigFile } from './config.js';
export { describeDifferences } from './differences.js';
export {
  firstPeerPorts,
  networkConfigSchema,
  ordererNames,
  peerPorts,
  type ChannelConfig,
  type NetworkConfig,
  type OrganizationConfig,
  type PeerPort,
  type ResolvedConfig,
  type UserConfig,
} from './schema.js';
