import { readFileSync, writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { peerPorts, type OrganizationConfig, type ResolvedConfig } from '../config/schema.js';
import { peerOrganizationPaths } from './paths.js';

/**
 * Writes `connection-<org>.json` and `.yaml`, the common connection profile of an organisation that runs a peer, as
 * fabric-samples writes it (`name`, `client`, `organizations`, `peers`).
 */
export function writeConnectionProfile(config: ResolvedConfig, organization: OrganizationConfig): void {
  const port = peerPorts(config).find((peer) => peer.mspId === organization.mspId)?.port;
  if (port === undefined) return;
  const paths = peerOrganizationPaths(config.dir, organization.domain);
  const label = organization.domain.split('.')[0] ?? organization.domain;
  const title = label.charAt(0).toUpperCase() + label.slice(1);
  const profile = {
    name: `network-${label}`,
    version: '1.0.0',
    client: { organization: title, connection: { timeout: { peer: { endorser: '300' } } } },
    organizations: { [title]: { mspid: organization.mspId, peers: [paths.peer.name] } },
    peers: {
      [paths.peer.name]: {
        url: `grpcs://localhost:${port}`,
        tlsCACerts: { pem: readFileSync(paths.peer.tls.ca, 'utf8') },
        grpcOptions: { 'ssl-target-name-override': paths.peer.name, hostnameOverride: paths.peer.name },
      },
    },
  };
  writeFileSync(`${paths.connectionProfile}.json`, `${JSON.stringify(profile, null, 2)}\n`);
  writeFileSync(`${paths.connectionProfile}.yaml`, stringify(profile));
}
