import { readFile } from 'node:fs/promises';
import { isAbsolute, join, dirname } from 'node:path';
import { z } from 'zod';
import { ClientError } from '../errors.js';
import { readNamedFile } from '../named-file.js';

const gatewayPeer = {
  /** `host:port` of the peer whose gateway serves this client. */
  peerEndpoint: z.string().regex(/^.+:\d+$/, 'must be host:port'),
  /** The name in the peer's TLS certificate. */
  peerHostAlias: z.string().min(1),
  /** The authority of the peer's TLS certificate: a file, or the certificate itself. */
  tlsCaCertPath: z.string().min(1).optional(),
  tlsCaCertPem: z.string().min(1).optional(),
};

/** The shape of a {@link ConnectionProfile}. */
export const connectionProfile = z
  .strictObject({
    /** The organisation of the identity. */
    mspId: z.string().min(1),
    ...gatewayPeer,
    /** Peers that serve in its place, in this order, while it cannot be reached: name only those you trust as much. */
    alternatives: z.array(z.strictObject(gatewayPeer)).optional(),
    certPath: z.string().min(1),
    /** The certificate's private key; absent where a signer elsewhere holds it. */
    keyPath: z.string().min(1).optional(),
    /** The client's own TLS certificate and key, for peers that ask for one. */
    tlsClientCertPath: z.string().min(1).optional(),
    tlsClientKeyPath: z.string().min(1).optional(),
  })
  .refine(
    ({ tlsClientCertPath, tlsClientKeyPath }) =>
      (tlsClientCertPath === undefined) === (tlsClientKeyPath === undefined),
    { error: 'tlsClientCertPath and tlsClientKeyPath belong together' },
  )
  .refine(
    ({ alternatives = [], ...first }) =>
      [first, ...alternatives].every(
        ({ tlsCaCertPath, tlsCaCertPem }) => (tlsCaCertPath === undefined) !== (tlsCaCertPem === undefined),
      ),
    { error: 'every peer has either a tlsCaCertPath or a tlsCaCertPem' },
  );

/** Who connects, and through which peer. Paths may be relative to the profile's own file. */
export type ConnectionProfile = z.infer<typeof connectionProfile>;

/** The files that a profile names, read. */
export interface ProfileFiles {
  /** In the order of the peers: the first one's, then those of its alternatives. */
  tlsCaCerts: Buffer[];
  certificate: Buffer;
  privateKey?: Buffer;
  tlsClient?: { certificate: Buffer; key: Buffer };
}

/** The peers of a profile in their order. */
export function peersOf(
  profile: ConnectionProfile,
): Pick<ConnectionProfile, 'peerEndpoint' | 'peerHostAlias' | 'tlsCaCertPath' | 'tlsCaCertPem'>[] {
  return [profile, ...(profile.alternatives ?? [])];
}

/** A profile as a file of its own, or as the configuration of an agent or a researcher holds it. */
const profileFile = z.union([
  z.object({ profile: connectionProfile }).transform(({ profile }) => [profile]),
  z.object({ profiles: z.array(connectionProfile).min(1) }).transform(({ profiles }) => profiles),
  connectionProfile.transform((profile) => [profile]),
]);

/**
 * Reads a connection profile from a JSON file: one of its own, an agent's `agent.json`, or the first one of a
 * `researcher.json`.
 *
 * @throws ClientError `PROFILE_INVALID`.
 */
export async function readProfile(path: string): Promise<ConnectionProfile> {
  const [first] = await readProfiles(path);
  return first;
}

/**
 * Reads all profiles of such a file: the same identity through one peer each.
 *
 * @throws ClientError `PROFILE_INVALID`.
 */
export async function readProfiles(path: string): Promise<[ConnectionProfile, ...ConnectionProfile[]]> {
  const file = { what: 'The profile', code: 'PROFILE_INVALID', form: 'JSON' } as const;
  const value = await readNamedFile(path, file);
  const result = profileFile.safeParse(value);
  if (result.success) {
    const [first, ...others] = result.data.map((profile) => inFolder(dirname(path), profile));
    if (first) return [first, ...others];
  }
  // The union's own words are about all three shapes: those about a single profile say which field is wrong.
  const cause = connectionProfile.safeParse(value).error;
  const [issue] = cause?.issues ?? [];
  throw new ClientError(
    'PROFILE_INVALID',
    `The profile ${path} cannot be used: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}.`,
    { cause },
  );
}

/** With its relative paths resolved. */
function inFolder(folder: string, profile: ConnectionProfile): ConnectionProfile {
  const resolved = (file: string): string => (isAbsolute(file) ? file : join(folder, file));
  const { alternatives, tlsCaCertPath, keyPath, tlsClientCertPath, tlsClientKeyPath, ...rest } = profile;
  return {
    ...rest,
    ...(tlsCaCertPath !== undefined && { tlsCaCertPath: resolved(tlsCaCertPath) }),
    certPath: resolved(profile.certPath),
    ...(keyPath !== undefined && { keyPath: resolved(keyPath) }),
    ...(alternatives && {
      alternatives: alternatives.map((peer) => ({
        ...peer,
        ...(peer.tlsCaCertPath !== undefined && { tlsCaCertPath: resolved(peer.tlsCaCertPath) }),
      })),
    }),
    ...(tlsClientCertPath !== undefined && { tlsClientCertPath: resolved(tlsClientCertPath) }),
    ...(tlsClientKeyPath !== undefined && { tlsClientKeyPath: resolved(tlsClientKeyPath) }),
  };
}

/**
 * Reads the certificates and the key that a profile names.
 *
 * @throws ClientError `PROFILE_INVALID` naming the file.
 */
export async function readProfileFiles(profile: ConnectionProfile): Promise<ProfileFiles> {
  const read = async (path: string): Promise<Buffer> => {
    try {
      return await readFile(path);
    } catch (cause) {
      throw new ClientError('PROFILE_INVALID', `The file ${path} of the profile cannot be read.`, { cause });
    }
  };
  const { tlsClientCertPath, tlsClientKeyPath } = profile;
  const [tlsCaCerts, certificate, privateKey, tlsClient] = await Promise.all([
    Promise.all(
      peersOf(profile).map(({ tlsCaCertPath, tlsCaCertPem = '' }) =>
        tlsCaCertPath === undefined ? Buffer.from(tlsCaCertPem) : read(tlsCaCertPath),
      ),
    ),
    read(profile.certPath),
    profile.keyPath === undefined ? undefined : read(profile.keyPath),
    tlsClientCertPath !== undefined && tlsClientKeyPath !== undefined
      ? Promise.all([read(tlsClientCertPath), read(tlsClientKeyPath)])
      : undefined,
  ]);
  return {
    tlsCaCerts,
    certificate,
    ...(privateKey && { privateKey }),
    ...(tlsClient && { tlsClient: { certificate: tlsClient[0], key: tlsClient[1] } }),
  };
}
