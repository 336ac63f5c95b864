import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type ProfiledOrganization, readProfiles } from '@strokeshare/network';
import type { Running } from './backends.js';
import { hospitals } from './layout.js';
import { Pki } from './pki.js';

/**
 * A network that runs already, with the suite's organisations, channels and chaincodes (`layout.ts`), by a folder as
 * `strokeshare-network profiles` writes it: connection profiles and the identities of users, nobody else's keys.
 */
export function existing(folder: string): Running {
  const profiles = new Map(readProfiles(folder).map((profile) => [profile.mspId, profile]));
  const find = (mspId: string): ProfiledOrganization => {
    const found = profiles.get(mspId);
    if (!found) throw new Error(`${folder} has no connection profile of ${mspId}`);
    return found;
  };
  const notHere = (): never => {
    throw new Error('this needs the network to have been started here');
  };
  return {
    withPeers: hospitals,
    address: (mspId) => find(mspId).peer.endpoint,
    pki: new Pki({
      user: (mspId, name) => {
        const msp = join(folder, 'identities', find(mspId).name, name, 'msp');
        return { certificate: onlyFile(join(msp, 'signcerts')), key: onlyFile(join(msp, 'keystore')) };
      },
      peerTls: (mspId) => {
        const { tlsCa, host } = find(mspId).peer;
        return { root: Buffer.from(tlsCa), host };
      },
      tree: notHere,
    }),
    deploy: notHere,
    createChannel: notHere,
    close: () => Promise.resolve(),
  };
}

function onlyFile(folder: string): string {
  const [file, ...others] = existsSync(folder) ? readdirSync(folder) : [];
  if (file === undefined || others.length > 0) throw new Error(`${folder} does not hold one file`);
  return join(folder, file);
}
