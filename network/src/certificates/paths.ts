import { join } from 'node:path';

/** Files of one identity's local MSP. */
export interface MspPaths {
  dir: string;
  certificate: string;
  key: string;
}

/** Files of one identity's TLS key pair. */
export interface TlsPaths {
  dir: string;
  ca: string;
  certificate: string;
  key: string;
}

/** A peer, an orderer or a user: its full name, its membership and its TLS key pair. */
export interface NodePaths {
  /** For example `peer0.org1.example.com` or `User1@org1.example.com`. */
  name: string;
  dir: string;
  msp: MspPaths;
  tls: TlsPaths;
}

/** The identity tree of one organisation, laid out as fabric-samples' test-network lays it out. */
export interface OrganizationPaths {
  dir: string;
  /** The verifying MSP: CA certificates and config.yaml, no keys. */
  msp: string;
  caCertificate: string;
  caKey: string;
  tlsCaCertificate: string;
  tlsCaKey: string;
  user(name: string): NodePaths;
}

/** An organisation that runs `peer0`, and others beside it. */
export interface PeerOrganizationPaths extends OrganizationPaths {
  peer: NodePaths;
  /** A peer by its first label, for example `peer1`. */
  node(name: string): NodePaths;
  /** Connection profile, without the ending `.json` or `.yaml`. */
  connectionProfile: string;
}

/** The tree of a peer organisation below `<dir>/organizations/peerOrganizations/<domain>`. */
export function peerOrganizationPaths(dir: string, domain: string): PeerOrganizationPaths {
  const base = join(dir, 'organizations', 'peerOrganizations', domain);
  const label = domain.split('.')[0] ?? domain;
  const node = (name: string): NodePaths => nodePaths(join(base, 'peers'), `${name}.${domain}`, 'server');
  return {
    ...organizationPaths(base, domain),
    peer: node('peer0'),
    node,
    connectionProfile: join(base, `connection-${label}`),
  };
}

/** The tree of the ordering organisation below `<dir>/organizations/ordererOrganizations/<domain>`. */
export function ordererOrganizationPaths(
  dir: string,
  domain: string,
): OrganizationPaths & { orderer: NodePaths; node(name: string): NodePaths } {
  const base = join(dir, 'organizations', 'ordererOrganizations', domain);
  const node = (name: string): NodePaths => nodePaths(join(base, 'orderers'), `${name}.${domain}`, 'server');
  return { ...organizationPaths(base, domain), orderer: node('orderer'), node };
}

/**
 * The domain of the ordering organisation: as described, or else the one above the first organisation's, as in the
 * samples (`org1.example.com` gives `example.com`).
 */
export function ordererDomain(config: {
  ordererDomain?: string | undefined;
  organizations: readonly { domain: string }[];
}): string {
  if (config.ordererDomain !== undefined) return config.ordererDomain;
  const first = config.organizations[0]?.domain ?? 'example.com';
  const above = first.split('.').slice(1).join('.');
  return above === '' ? `orderer.${first}` : above;
}

function organizationPaths(base: string, domain: string): OrganizationPaths {
  return {
    dir: base,
    msp: join(base, 'msp'),
    caCertificate: join(base, 'ca', `ca.${domain}-cert.pem`),
    caKey: join(base, 'ca', 'key.pem'),
    tlsCaCertificate: join(base, 'tlsca', `tlsca.${domain}-cert.pem`),
    tlsCaKey: join(base, 'tlsca', 'key.pem'),
    user: (name) => nodePaths(join(base, 'users'), `${name}@${domain}`, 'client'),
  };
}

function nodePaths(parent: string, name: string, tlsFile: 'server' | 'client'): NodePaths {
  const dir = join(parent, name);
  const msp = join(dir, 'msp');
  const tls = join(dir, 'tls');
  return {
    name,
    dir,
    msp: {
      dir: msp,
      certificate: join(msp, 'signcerts', 'cert.pem'),
      key: join(msp, 'keystore', 'key.pem'),
    },
    tls: {
      dir: tls,
      ca: join(tls, 'ca.crt'),
      certificate: join(tls, `${tlsFile}.crt`),
      key: join(tls, `${tlsFile}.key`),
    },
  };
}
