import { peerOrganizationPaths } from '../certificates/index.js';
import { firstPeerPorts, type ResolvedConfig } from '../config/index.js';

/** A network, as a client sees it. */
export interface NetworkInfo {
  dir: string;
  organizations: {
    mspId: string;
    domain: string;
    /** `host:port` of its first peer and the connection profile for it; absent in an organisation without a peer. */
    peer?: { endpoint: string; connectionProfile: string };
  }[];
  channels: string[];
}

/** Describes a network to its clients. */
export function networkInfo(config: ResolvedConfig): NetworkInfo {
  const ports = firstPeerPorts(config);
  return {
    dir: config.dir,
    organizations: config.organizations.map(({ mspId, domain }) => {
      const port = ports.get(mspId);
      if (port === undefined) return { mspId, domain };
      const connectionProfile = `${peerOrganizationPaths(config.dir, domain).connectionProfile}.json`;
      return { mspId, domain, peer: { endpoint: `localhost:${port}`, connectionProfile } };
    }),
    channels: config.channels.map(({ name }) => name),
  };
}
