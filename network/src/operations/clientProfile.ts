import { existsSync } from 'node:fs';
import { peerOrganizationPaths } from '../certificates/index.js';
import { peerPorts, type OrganizationConfig, type ResolvedConfig } from '../config/index.js';
import { NetworkError } from '../errors.js';
import { requireNetwork } from './directory.js';

/** What a Gateway client needs to connect as a user: all paths are of PEM files. */
export interface ClientProfile {
  mspId: string;
  /** `host:port` */
  peerEndpoint: string;
  /** The name in the peer's TLS certificate, for `grpc.ssl_target_name_override`. */
  peerHostAlias: string;
  tlsCaCertPath: string;
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
  const port = peerPorts(config).find((peer) => peer.mspId === via.mspId)?.port;
  if (port === undefined)
    throw new NetworkError('ORGANIZATION_UNKNOWN', `${via.mspId} runs no peer to connect through.`);

  const { msp, tls } = peerOrganizationPaths(config.dir, organization.domain).user(user);
  if (!existsSync(msp.certificate))
    throw new NetworkError(
      'USER_UNKNOWN',
      `${mspId} has no user ${user}; it has ${userNames(organization)}.`,
    );
  const { peer } = peerOrganizationPaths(config.dir, via.domain);
  return {
    mspId,
    peerEndpoint: `127.0.0.1:${port}`,
    peerHostAlias: peer.name,
    tlsCaCertPath: peer.tls.ca,
    certPath: msp.certificate,
    keyPath: msp.key,
    ...(config.mutualTls && { tlsClientCertPath: tls.certificate, tlsClientKeyPath: tls.key }),
  };
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
