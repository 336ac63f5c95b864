import { existsSync } from 'node:fs';
import { peerOrganizationPaths } from '../certificates/index.js';
import { peerPorts, type OrganizationConfig, type ResolvedConfig } from '../config/index.js';
import { NetworkError } from '../errors.js';
import { requireNetwork } from './directory.js';

/** A peer whose gateway serves a client. */
export interface GatewayPeer {
  /** `host:port` */
  peerEndpoint: string;
  /** The name in the peer's TLS certificate, for `grpc.ssl_target_name_override`. */
  peerHostAlias: string;
  tlsCaCertPath: string;
}

/** What a Gateway client needs to connect as a user: all paths are of PEM files. */
export interface ClientProfile extends GatewayPeer {
  mspId: string;
  /** Further peers of the same organisation, which serve while the first cannot be reached. */
  alternatives?: GatewayPeer[];
  certPath: string;
  keyPath: string;
  /** The user's TLS certificate and key, where peers ask for one. */
  tlsClientCertPath?: string;
  tlsClientKeyPath?: string;
}

/**
 * The profile of one user. An organisation without a peer connects through another organisation's: `viaMspId`, or else
 * the first one that has a peer.
 * @throws NetworkError NOT_RUNNING, ORGANIZATION_UNKNOWN or USER_UNKNOWN
 */
export function clientProfile(dir: string, mspId: string, user: string, viaMspId?: string): ClientProfile {
  const { config } = requireNetwork(dir).marker;
  const organization = findOrganization(config, mspId);
  const via = viaMspId === undefined ? defaultVia(config, organization) : findOrganization(config, viaMspId);
  const [first, ...alternatives] = gatewayPeers(config, via);
  if (!first) throw new NetworkError('ORGANIZATION_UNKNOWN', `${via.mspId} runs no peer to connect through.`);

  const { msp, tls } = peerOrganizationPaths(config.dir, organization.domain).user(user);
  if (!existsSync(msp.certificate))
    throw new NetworkError(
      'USER_UNKNOWN',
      `${mspId} has no user ${user}; it has ${userNames(organization)}.`,
    );
  return {
    mspId,
    ...first,
    ...(alternatives.length > 0 && { alternatives }),
    certPath: msp.certificate,
    keyPath: msp.key,
    ...(config.mutualTls && { tlsClientCertPath: tls.certificate, tlsClientKeyPath: tls.key }),
  };
}

function gatewayPeers(config: ResolvedConfig, { mspId, domain }: OrganizationConfig): GatewayPeer[] {
  const own = peerPorts(config).filter((peer) => peer.mspId === mspId);
  return own.map(({ index, port }) => {
    const { name, tls } = peerOrganizationPaths(config.dir, domain).node(`peer${index}`);
    return { peerEndpoint: `127.0.0.1:${port}`, peerHostAlias: name, tlsCaCertPath: tls.ca };
  });
}

/** @throws NetworkError ORGANIZATION_UNKNOWN naming the organisations that there are. */
export function findOrganization(config: ResolvedConfig, mspId: string): OrganizationConfig {
  const found = config.organizations.find((organization) => organization.mspId === mspId);
  if (found) return found;
  const known = config.organizations.map((organization) => organization.mspId).join(', ');
  throw new NetworkError(
    'ORGANIZATION_UNKNOWN',
    `There is no organisation ${mspId}; this network has ${known}.`,
  );
}

function defaultVia(config: ResolvedConfig, organization: OrganizationConfig): OrganizationConfig {
  return organization.peer ? organization : (config.organizations.find(({ peer }) => peer) ?? organization);
}

function userNames({ users }: OrganizationConfig): string {
  return [...new Set(['Admin', ...users.map(({ name }) => name)])].join(', ');
}
