import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { CertificateAuthority, type IssuedCertificate, type NodeRole } from './authority.js';
import {
  ordererOrganizationPaths,
  peerOrganizationPaths,
  type NodePaths,
  type OrganizationPaths,
} from './paths.js';

/** What an organisation's certificates are made for. */
export interface OrganizationIdentities {
  domain: string;
  users: readonly { name: string; attributes?: Readonly<Record<string, string>>; admin?: boolean }[];
}

/** The administrator that every organisation has. */
export const ADMIN = 'Admin';

/** What signs the identities of an organisation: its own authority here, or a server that has the authority's key. */
export type IdentitySigner = Pick<CertificateAuthority, 'issueIdentity'>;

/**
 * Finds the signer of an organisation whose authorities are written already; by default that is the authority itself.
 * @param domain of the organisation
 */
export type FindSigner = (domain: string, paths: OrganizationPaths) => Promise<IdentitySigner>;

/**
 * Issues the whole identity tree of an organisation with or without peers: its CA and TLS CA, `peer0` and those beside
 * it, `Admin` and the users, in the layout of fabric-samples, which real peers and sample applications read unchanged.
 */
export async function issuePeerOrganization(
  dir: string,
  organization: OrganizationIdentities & { peer: boolean; peers?: number | undefined },
  findSigner?: FindSigner,
): Promise<void> {
  const { domain, peer, peers = 1, users } = organization;
  const paths = peerOrganizationPaths(dir, domain);
  const authorities = await createAuthorities(paths, domain, findSigner);
  for (let index = 0; peer && index < peers; index++)
    await issueNode(paths.node(`peer${index}`), 'peer', [`peer${index}`], authorities, domain);
  await issueUsers(paths, users, authorities, domain);
}

/** Issues the identity tree of the ordering organisation: its CA and TLS CA, its orderers and `Admin`. */
export async function issueOrdererOrganization(
  dir: string,
  domain: string,
  names: readonly string[] = ['orderer'],
  findSigner?: FindSigner,
): Promise<void> {
  const paths = ordererOrganizationPaths(dir, domain);
  const authorities = await createAuthorities(paths, domain, findSigner);
  for (const name of names) await issueNode(paths.node(name), 'orderer', [name], authorities, domain);
  await issueUsers(paths, [], authorities, domain);
}

interface Authorities {
  identity: CertificateAuthority;
  tls: CertificateAuthority;
  signer: IdentitySigner;
}

async function createAuthorities(
  paths: OrganizationPaths,
  domain: string,
  findSigner: FindSigner | undefined,
): Promise<Authorities> {
  const identity = await CertificateAuthority.create(`ca.${domain}`, domain);
  const tls = await CertificateAuthority.create(`tlsca.${domain}`, domain);
  writePair(paths.caCertificate, paths.caKey, identity.issued);
  writePair(paths.tlsCaCertificate, paths.tlsCaKey, tls.issued);
  writeVerifyingMsp(paths.msp, domain, { identity, tls });
  return { identity, tls, signer: (await findSigner?.(domain, paths)) ?? identity };
}

async function issueUsers(
  paths: OrganizationPaths,
  users: OrganizationIdentities['users'],
  authorities: Authorities,
  domain: string,
): Promise<void> {
  const administrator: OrganizationIdentities['users'][number] = { name: ADMIN, admin: true };
  const all = users.some((user) => user.name === ADMIN) ? users : [administrator, ...users];
  for (const user of all) {
    const role = user.admin || user.name === ADMIN ? 'admin' : 'client';
    await issueNode(paths.user(user.name), role, [], authorities, domain, user.attributes);
  }
}

async function issueNode(
  node: NodePaths,
  role: NodeRole,
  shortHosts: readonly string[],
  { identity, tls, signer }: Authorities,
  domain: string,
  attributes?: Readonly<Record<string, string>>,
): Promise<void> {
  const server = role === 'peer' || role === 'orderer';
  // Fabric CA adds these three to every enrolment certificate; contracts rely on them.
  const enrolment = {
    'hf.Affiliation': '',
    'hf.EnrollmentID': node.name.split('@')[0] ?? node.name,
    'hf.Type': role,
  };
  const signing = await signer.issueIdentity(
    node.name,
    role,
    server ? undefined : { ...enrolment, ...attributes },
  );
  writePair(node.msp.certificate, node.msp.key, signing);
  writeVerifyingMsp(node.msp.dir, domain, { identity, tls });

  const hosts = server
    ? [node.name, ...shortHosts, 'localhost', '127.0.0.1', '::1']
    : [node.name.replace('@', '.')];
  writePair(node.tls.certificate, node.tls.key, await tls.issueTls(node.name, hosts));
  writePublic(node.tls.ca, tls.issued.certificate);
}

function writeVerifyingMsp(
  dir: string,
  domain: string,
  { identity, tls }: Omit<Authorities, 'signer'>,
): void {
  const authority = `ca.${domain}-cert.pem`;
  writePublic(join(dir, 'cacerts', authority), identity.issued.certificate);
  writePublic(join(dir, 'tlscacerts', `tlsca.${domain}-cert.pem`), tls.issued.certificate);
  writePublic(join(dir, 'config.yaml'), stringify(nodeOus(join('cacerts', authority))));
}

function nodeOus(certificate: string): unknown {
  const identifier = (role: NodeRole) => ({
    Certificate: certificate,
    OrganizationalUnitIdentifier: role,
  });
  return {
    NodeOUs: {
      Enable: true,
      ClientOUIdentifier: identifier('client'),
      PeerOUIdentifier: identifier('peer'),
      AdminOUIdentifier: identifier('admin'),
      OrdererOUIdentifier: identifier('orderer'),
    },
  };
}

function writePair(certificatePath: string, keyPath: string, issued: IssuedCertificate): void {
  writePublic(certificatePath, issued.certificate);
  mkdirSync(dirname(keyPath), { recursive: true, mode: 0o700 });
  writeFileSync(keyPath, issued.key, { mode: 0o600 });
}

function writePublic(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
