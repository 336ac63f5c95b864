import { readFile } from 'node:fs/promises';
import { isAbsolute, join, dirname } from 'node:path';
import { z } from 'zod';
import { ClientError } from '../errors.js';

/** The shape of a {@link ConnectionProfile}. */
export const connectionProfile = z.strictObject({
  /** The organisation of the identity. */
  mspId: z.string().min(1),
  /** `host:port` of the peer whose gateway serves this client. */
  peerEndpoint: z.string().regex(/^.+:\d+$/, 'must be host:port'),
  /** The name in the peer's TLS certificate. */
  peerHostAlias: z.string().min(1),
  tlsCaCertPath: z.string().min(1),
  certPath: z.string().min(1),
  keyPath: z.string().min(1),
});

/** Who connects, and through which peer. Paths may be relative to the profile's own file. */
export type ConnectionProfile = z.infer<typeof connectionProfile>;

/** The files that a profile names, read. */
export interface ProfileFiles {
  tlsCaCert: Buffer;
  certificate: Buffer;
  privateKey: Buffer;
}

/**
 * Reads a connection profile from a JSON file.
 *
 * @throws ClientError `PROFILE_INVALID`.
 */
export async function readProfile(path: string): Promise<ConnectionProfile> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new ClientError('PROFILE_INVALID', `The profile ${path} cannot be read as JSON.`, { cause });
  }
  const result = connectionProfile.safeParse(value);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new ClientError(
      'PROFILE_INVALID',
      `The profile ${path} cannot be used: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}.`,
      { cause: result.error },
    );
  }
  const resolved = (file: string): string => (isAbsolute(file) ? file : join(dirname(path), file));
  const { tlsCaCertPath, certPath, keyPath } = result.data;
  return {
    ...result.data,
    tlsCaCertPath: resolved(tlsCaCertPath),
    certPath: resolved(certPath),
    keyPath: resolved(keyPath),
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
  const [tlsCaCert, certificate, privateKey] = await Promise.all([
    read(profile.tlsCaCertPath),
    read(profile.certPath),
    read(profile.keyPath),
  ]);
  return { tlsCaCert, certificate, privateKey };
}
