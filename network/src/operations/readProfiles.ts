import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { NetworkError } from '../errors.js';

/** What is read of Fabric's common connection profile. */
const profileSchema = z.object({
  client: z.object({ organization: z.string() }),
  organizations: z.record(z.string(), z.object({ mspid: z.string(), peers: z.array(z.string()) })),
  peers: z.record(
    z.string(),
    z.object({
      url: z.string().startsWith('grpcs://'),
      tlsCACerts: z.object({ pem: z.string() }),
      grpcOptions: z.object({ 'ssl-target-name-override': z.string() }),
    }),
  ),
});

/** One organisation of a folder that `exportProfiles` wrote. */
export interface ProfiledOrganization {
  /** Its name in the folder. */
  readonly name: string;
  readonly mspId: string;
  /** The first peer that its users connect through. */
  readonly peer: { readonly endpoint: string; readonly host: string; readonly tlsCa: string };
}

/**
 * Reads the connection profiles of a folder.
 * @throws NetworkError CONFIG_INVALID naming the file that is not such a profile
 */
export function readProfiles(folder: string): ProfiledOrganization[] {
  const files = readdirSync(folder).filter((file) => /^connection-.+\.json$/.test(file));
  return files.map((file) => {
    const parsed = profileSchema.safeParse(JSON.parse(readFileSync(join(folder, file), 'utf8')));
    const name = parsed.data?.client.organization ?? '';
    const own = parsed.data?.organizations[name];
    const peer = parsed.data?.peers[own?.peers[0] ?? ''];
    if (!own || !peer)
      throw new NetworkError(
        'CONFIG_INVALID',
        `${join(folder, file)} is no connection profile that names a peer for its organisation.`,
      );
    const { url, tlsCACerts, grpcOptions } = peer;
    return {
      name,
      mspId: own.mspid,
      peer: {
        endpoint: url.slice('grpcs://'.length),
        host: grpcOptions['ssl-target-name-override'],
        tlsCa: tlsCACerts.pem,
      },
    };
  });
}
