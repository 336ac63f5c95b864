import { readFileSync, writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { peerPorts, type OrganizationConfig, type ResolvedConfig } from '../config/schema.js';
import { peerOrganizationPaths } from './paths.js';

/** The peers of an organisation as they stand in a common connection profile, by host name. */
export function profiledPeers(
  config: ResolvedConfig,
  { mspId, domain }: Pick<OrganizationConfig, 'mspId' | 'domain'>,
): Record<string, unknown> {
  const paths = peerOrganizationPaths(config.dir, domain);
  const own = peerPorts(config).filter((peer) => peer.mspId === mspId);
  return Object.fromEntries(
    own.map(({ index, port }) => {
      const { name, tls } = paths.node(`peer${index}`);
      const peer = {
        url: `grpcs://localhost:${port}`,
        tlsCACerts: { pem: readFileSync(tls.ca, 'utf8') },
        grpcOptions: { 'ssl-target-name-override': name, hostnameOverride: name },
      };
      return [name, peer];
    }),
  );
}

/**
 * Writes `connection-<org>.json` and `.yaml`, the common connection profile of an organisation that runs peers, as
 * fabric-samples writes it (`name`, `client`, `organizations`, `peers`).
 */
export function writeConnectionProfile(config: ResolvedConfig, organization: OrganizationConfig): void {
  if (!organization.peer) return;
  const paths = peerOrganizationPaths(config.dir, organization.domain);
  const peers = profiledPeers(config, organization);
  const label = organization.domain.split('.')[0] ?? organization.domain;
  const title = label.charAt(0).toUpperCase() + label.slice(1);
  const profile = {
    name: `network-${label}`,
    version: '1.0.0',
    client: { organization: title, connection: { timeout: { peer: { endorser: '300' } } } },
    organizations: { [title]: { mspid: organization.mspId, peers: Object.keys(peers) } },
    peers,
  };
  writeFileSync(`${paths.connectionProfile}.json`, `${JSON.stringify(profile, null, 2)}\n`);
  writeFileSync(`${paths.connectionProfile}.yaml`, stringify(profile));
}
