import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { peerOrganizationPaths, profiledPeers } from '../certificates/index.js';
import type { OrganizationConfig, ResolvedConfig } from '../config/index.js';
import { requireNetwork } from './directory.js';

/**
 * Writes what clients need to use a network from outside: a connection profile for every organisation and the
 * identities of its users, administrators left out. An organisation without a peer gets the others' peers.
 *
 * ```
 * connection-<name>.json
 * identities/<name>/<user>/{msp/signcerts/cert.pem, msp/keystore/key.pem, tls/client.crt, tls/client.key}
 * ```
 * @returns the names of the organisations: the first labels of their domains
 * @throws NetworkError NOT_RUNNING
 */
export function exportProfiles(dir: string, target: string): string[] {
  const { config } = requireNetwork(dir).marker;
  mkdirSync(target, { recursive: true, mode: 0o700 });
  return config.organizations.map((organization) => {
    const name = organization.domain.split('.')[0] ?? organization.domain;
    const profile = connectionProfileOf(config, organization, name);
    writeFileSync(join(target, `connection-${name}.json`), `${JSON.stringify(profile, null, 2)}\n`);
    for (const user of organization.users.filter(({ admin }) => !admin)) {
      const { msp, tls } = peerOrganizationPaths(config.dir, organization.domain).user(user.name);
      const folder = join(target, 'identities', name, user.name);
      copy(msp.certificate, join(folder, 'msp', 'signcerts', 'cert.pem'));
      copy(msp.key, join(folder, 'msp', 'keystore', 'key.pem'));
      copy(tls.certificate, join(folder, 'tls', 'client.crt'));
      copy(tls.key, join(folder, 'tls', 'client.key'));
    }
    return name;
  });
}

function connectionProfileOf(
  config: ResolvedConfig,
  organization: OrganizationConfig,
  name: string,
): unknown {
  const served = config.organizations.filter(({ peer }) => peer);
  const through = organization.peer ? [organization] : served;
  const peers = Object.assign({}, ...through.map((other) => profiledPeers(config, other))) as object;
  return {
    name: `network-${name}`,
    version: '1.0.0',
    client: { organization: name },
    organizations: { [name]: { mspid: organization.mspId, peers: Object.keys(peers) } },
    peers,
  };
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
  // The keys of a network are readable by their owner alone, and copies keep that.
  copyFileSync(from, to);
}
