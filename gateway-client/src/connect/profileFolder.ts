import { readdir, readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { attributesOfPem, NetworkError } from '@strokeshare/network';
import { z } from 'zod';
import { ClientError } from '../errors.js';
import { readShapedFile } from '../named-file.js';
import type { ConnectionProfile } from './profile.js';

/*
 * A folder that describes a network from outside, as its operators hand it out:
 *
 *   connection-<name>.json            Fabric's common connection profile of one organisation
 *   identities/<name>/<user>/msp      MSP folder of a user: signcerts/*.pem and keystore/*
 *   identities/<name>/<user>/tls      where peers ask for it: client.crt and client.key
 */

const ROLE = 'strokeshare.role';

/** What this client reads of Fabric's common connection profile; the rest may be there. */
const commonProfile = z.object({
  client: z.object({ organization: z.string() }),
  organizations: z.record(z.string(), z.object({ mspid: z.string().min(1), peers: z.array(z.string()) })),
  peers: z.record(
    z.string(),
    z.object({
      url: z.string().regex(/^grpcs:\/\/[^/]+:\d+$/, 'must be grpcs://host:port'),
      tlsCACerts: z.union([
        z.object({ pem: z.union([z.string(), z.array(z.string())]) }),
        z.object({ path: z.string().min(1) }),
      ]),
      grpcOptions: z.object({ 'ssl-target-name-override': z.string().optional() }).optional(),
    }),
  ),
});
type CommonProfile = z.infer<typeof commonProfile>;
type Peer = Pick<ConnectionProfile, 'peerEndpoint' | 'peerHostAlias' | 'tlsCaCertPath' | 'tlsCaCertPem'>;
type Identity = Pick<ConnectionProfile, 'certPath' | 'keyPath' | 'tlsClientCertPath' | 'tlsClientKeyPath'>;

/** One user of one organisation. */
export interface ProfiledUser {
  /** The organisation's name in the folder. */
  readonly name: string;
  readonly mspId: string;
  readonly user: string;
  /** Through the first peer of the connection profile; the others stand in for it. */
  profile(): ConnectionProfile;
  /** One profile for each peer, without stand-ins: for comparing what they answer. */
  profilesOfEachPeer(): ConnectionProfile[];
}

/** The organisations and identities of a profile folder. */
export interface ProfileFolder {
  /** The users whose certificate has a role, at most one of each organisation, by the organisations' names. */
  withRole(role: string): ProfiledUser[];
}

/**
 * Reads a folder of connection profiles and identities.
 *
 * @throws ClientError `PROFILE_INVALID` naming the file and what is missing in it.
 */
export async function readProfileFolder(folder: string): Promise<ProfileFolder> {
  const files = (await entriesOf(folder)).flatMap((file) => {
    const name = /^connection-(.+)\.json$/.exec(file)?.[1];
    return name === undefined ? [] : [{ name, path: join(folder, file) }];
  });
  if (files.length === 0) {
    throw new ClientError(
      'PROFILE_INVALID',
      `${folder} has no connection profile: it needs a connection-<name>.json for every organisation.`,
    );
  }
  const users = await Promise.all(files.map(({ name, path }) => readUsers(folder, name, path)));
  const all = users.flat();
  return {
    withRole: (role) => {
      const found = all.filter((candidate) => candidate.role === role);
      return found.filter(({ name }, index) => found.findIndex((other) => other.name === name) === index);
    },
  };
}

async function readUsers(
  folder: string,
  name: string,
  path: string,
): Promise<(ProfiledUser & { role: string | undefined })[]> {
  const { mspId, peers } = organizationOf(await readCommonProfile(path), path);
  const [first, ...alternatives] = peers;
  if (!first) throw invalid(path, 'its organisation names no peer; name those of others where it has none');
  const identities = join(folder, 'identities', name);
  return Promise.all(
    (await entriesOf(identities)).map(async (user) => {
      const identity = await readIdentity(join(identities, user));
      const role = await roleOf(identity.certPath);
      return {
        ...{ name, mspId, user, role },
        profile: () => ({
          mspId,
          ...first,
          ...(alternatives.length > 0 && { alternatives }),
          ...identity,
        }),
        profilesOfEachPeer: () => peers.map((peer) => ({ mspId, ...peer, ...identity })),
      };
    }),
  );
}

async function readCommonProfile(path: string): Promise<CommonProfile> {
  return readShapedFile(path, { what: 'The profile', code: 'PROFILE_INVALID', form: 'JSON' }, commonProfile);
}

function organizationOf(
  { client, organizations, peers }: CommonProfile,
  path: string,
): { mspId: string; peers: Peer[] } {
  const own = organizations[client.organization];
  if (!own)
    throw invalid(path, `organizations has no ${client.organization}, which client.organization names`);
  return {
    mspId: own.mspid,
    peers: own.peers.map((peerName) => {
      const peer = peers[peerName];
      if (!peer) throw invalid(path, `peers has no ${peerName}`);
      const endpoint = peer.url.slice('grpcs://'.length);
      return {
        peerEndpoint: endpoint,
        peerHostAlias: peer.grpcOptions?.['ssl-target-name-override'] ?? endpoint.replace(/:\d+$/, ''),
        ...authorityOf(peer.tlsCACerts, dirname(path)),
      };
    }),
  };
}

function authorityOf(given: CommonProfile['peers'][string]['tlsCACerts'], folder: string): Partial<Peer> {
  if ('pem' in given) return { tlsCaCertPem: [given.pem].flat().join('\n') };
  return { tlsCaCertPath: isAbsolute(given.path) ? given.path : join(folder, given.path) };
}

async function readIdentity(folder: string): Promise<Identity> {
  const [certPath, keyPath] = [
    await onlyFile(join(folder, 'msp', 'signcerts')),
    await onlyFile(join(folder, 'msp', 'keystore')),
  ];
  const tls = (await entriesOf(join(folder, 'tls'))).filter((file) => /^client\.(crt|key)$/.test(file));
  if (tls.length === 1) throw invalid(join(folder, 'tls'), 'client.crt and client.key belong together');
  return {
    certPath,
    keyPath,
    ...(tls.length === 2 && {
      tlsClientCertPath: join(folder, 'tls', 'client.crt'),
      tlsClientKeyPath: join(folder, 'tls', 'client.key'),
    }),
  };
}

async function roleOf(certPath: string): Promise<string | undefined> {
  try {
    return attributesOfPem(await readFile(certPath, 'utf8'))[ROLE];
  } catch (error) {
    if (error instanceof NetworkError) throw invalid(certPath, error.message.replace(/\.$/, ''), error);
    throw error;
  }
}

async function onlyFile(folder: string): Promise<string> {
  const [file, ...others] = await entriesOf(folder);
  if (file === undefined) throw invalid(folder, 'it is empty or not there; an MSP folder has one file in it');
  if (others.length > 0) throw invalid(folder, 'it has more than one file');
  return join(folder, file);
}

async function entriesOf(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(() => [])).toSorted();
}

function invalid(path: string, reason: string, cause?: unknown): ClientError {
  return new ClientError('PROFILE_INVALID', `${path} cannot be used: ${reason}.`, { cause });
}
