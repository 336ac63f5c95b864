import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
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

/**
 * Issues the whole identity tree of an organisation with or without a peer: its CA and TLS CA, `peer0`, `Admin` and
 * the users, in the layout of fabric-samples, which real peers and sample applications read unchanged.
 */
export async function issuePeerOrganization(
  dir: string,
  organization: OrganizationIdentities & { peer: boolean },
): Promise<void> {
  const { domain } = organization;
  const paths = peerOrganizationPaths(dir, domain);
  const authorities = await createAuthorities(paths, domain);
  if (organization.peer) await issueNode(paths.peer, 'peer', ['peer0'], authorities, domain);
  await issueUsers(paths, organization.users, authorities, domain);
}

/** Issues the identity tree of the ordering organisation: its CA and TLS CA, one orderer and `Admin`. */
export async function issueOrdererOrganization(dir: string, domain: string): Promise<void> {
  const paths = ordererOrganizationPaths(dir, domain);
  const authorities = await createAuthorities(paths, domain);
  await issueNode(paths.orderer, 'orderer', ['orderer'], authorities, domain);
  await issueUsers(paths, [], authorities, domain);
}

/** Issues one more orderer of an ordering organisation whose authorities exist already, for example `orderer2`. */
export async function issueOrderer(dir: string, domain: string, name: string): Promise<void> {
  const paths = ordererOrganizationPaths(dir, domain);
  await issueNode(paths.node(name), 'orderer', [name], await loadAuthorities(paths), domain);
}

interface Authorities {
  identity: CertificateAuthority;
  tls: CertificateAuthority;
}

async function createAuthorities(paths: OrganizationPaths, domain: string): Promise<Authorities> {
  const identity = await CertificateAuthority.create(`ca.${domain}`, domain);
  const tls = await CertificateAuthority.create(`tlsca.${domain}`, domain);
  writePair(paths.caCertificate, paths.caKey, identity.issued);
  writePair(paths.tlsCaCertificate, paths.tlsCaKey, tls.issued);
  writeVerifyingMsp(paths.msp, domain, { identity, tls });
  return { identity, tls };
}

async function loadAuthorities(paths: OrganizationPaths): Promise<Authorities> {
  const load = async (certificate: string, key: string) =>
    CertificateAuthority.load({
      certificate: readFileSync(certificate, 'utf8'),
      key: readFileSync(key, 'utf8'),
    });
  return {
    identity: await load(paths.caCertificate, paths.caKey),
    tls: await load(paths.tlsCaCertificate, paths.tlsCaKey),
  };
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
  { identity, tls }: Authorities,
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
  const signing = await identity.issueIdentity(
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

function writeVerifyingMsp(dir: string, domain: string, { identity, tls }: Authorities): void {
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
