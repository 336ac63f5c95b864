export { parseConfig, readConfigFile } from './config.js';
export {
  networkConfigSchema,
  peerPorts,
  type ChannelConfig,
  type NetworkConfig,
  type OrganizationConfig,
  type ResolvedConfig,
  type UserConfig,
} from './schema.js';
