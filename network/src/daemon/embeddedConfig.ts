import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  ADMIN,
  ordererDomain,
  ordererOrganizationPaths,
  peerOrganizationPaths,
  type NodePaths,
} from '../certificates/index.js';
import {
  firstPeerPorts,
  type ChannelConfig,
  type OrganizationConfig,
  type ResolvedConfig,
} from '../config/schema.js';
import {
  defaultBatch,
  type ChannelOptions,
  type EmbeddedOptions,
  type KeyPair,
  type OrganizationOptions,
} from '../embedded-options.js';
import { layout } from './layout.js';

/** Reads the identity tree of a network and describes it to the embedded core. */
export function embeddedOptions(config: ResolvedConfig, log: (message: string) => void): EmbeddedOptions {
  const ports = firstPeerPorts(config);
  const orderer = ordererOrganizationPaths(config.dir, ordererDomain(config));
  return {
    dir: layout(config.dir).ledger,
    organizations: config.organizations.map((organization) =>
      organizationOptions(config, organization, ports.get(organization.mspId)),
    ),
    orderer: {
      mspId: config.ordererMspId,
      rootCertificates: [text(orderer.caCertificate)],
      signing: signingPair(orderer.orderer),
    },
    channels: config.channels.map(channelOptions),
    revocationLists: (mspId) =>
      config.organizations
        .filter((organization) => organization.mspId === mspId)
        .flatMap(({ domain }) => revocationLists(peerOrganizationPaths(config.dir, domain).msp)),
    timeWindowSeconds: config.timeWindowSeconds,
    log,
  };
}

/** A channel as the embedded core takes it. */
export function channelOptions(channel: ChannelConfig): ChannelOptions {
  const { name, members, endorsement, lifecycleEndorsement, admins } = channel;
  return {
    name,
    members,
    endorsement,
    ...(lifecycleEndorsement === undefined ? {} : { lifecycleEndorsement }),
    ...(admins === undefined ? {} : { admins }),
    batch: { ...defaultBatch, timeoutMs: channel.batchTimeoutMs },
  };
}

function organizationOptions(
  { dir, listenAddress }: ResolvedConfig,
  { mspId, domain }: OrganizationConfig,
  port: number | undefined,
): OrganizationOptions {
  const paths = peerOrganizationPaths(dir, domain);
  const admin = signingPair(paths.user(ADMIN));
  const roots = {
    mspId,
    rootCertificates: [text(paths.caCertificate)],
    tlsRootCertificates: [text(paths.tlsCaCertificate)],
    admin,
  };
  if (port === undefined) return roots;
  const { peer } = paths;
  return {
    ...roots,
    peer: {
      name: peer.name,
      signing: signingPair(peer),
      tls: { certificate: text(peer.tls.certificate), privateKey: text(peer.tls.key) },
      listenAddress: `${listenAddress}:${port}`,
    },
  };
}

/** Where administrators put the lists of their authorities, as in Fabric's own tree. */
function revocationLists(msp: string): string[] {
  const folder = join(msp, 'crls');
  return existsSync(folder) ? readdirSync(folder).map((name) => text(join(folder, name))) : [];
}

function signingPair({ msp }: NodePaths): KeyPair {
  return { certificate: text(msp.certificate), privateKey: text(msp.key) };
}

function text(path: string): string {
  return readFileSync(path, 'utf8');
}
