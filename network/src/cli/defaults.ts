import { join } from 'node:path';
import type { NetworkConfig } from '../config/index.js';

/** Where a network is kept when nobody says otherwise. */
export const DEFAULT_DIRECTORY = join('.strokeshare', 'network');
export const DEFAULT_CHANNEL = 'mychannel';
export const DEFAULT_ORGANIZATIONS = 2;

/** Distance of the peers' ports in fabric-samples (7051, 9051, 11051, ...), which sample applications rely on. */
const SAMPLE_PORT_STEP = 2000;
const SAMPLE_BASE_PORT = 7051;

/** A network with the names of fabric-samples: `Org1MSP`, `org1.example.com`, `User1`. */
export function sampleNetwork(options: {
  dir: string;
  organizations: number;
  peers?: number | undefined;
  channel?: string | undefined;
  basePort?: number | undefined;
}): NetworkConfig {
  const { dir, organizations: count, peers, channel, basePort } = options;
  const organizations = Array.from({ length: count }, (_, index) => ({
    mspId: `Org${index + 1}MSP`,
    domain: `org${index + 1}.example.com`,
    peer: true,
    ...(peers === undefined ? {} : { peers }),
    users: [{ name: 'User1' }],
    ...(basePort === undefined ? { port: SAMPLE_BASE_PORT + SAMPLE_PORT_STEP * index } : {}),
  }));
  return {
    dir,
    organizations,
    channels: channel === undefined ? [] : [sampleChannel(channel, organizations)],
    ...(basePort === undefined ? {} : { basePort }),
  };
}

/**
 * A channel of every organisation; a majority of those with peers endorses. The policy names them, since Fabric's
 * implicit majority also counts organisations that cannot endorse.
 */
export function sampleChannel(
  name: string,
  organizations: readonly { mspId: string; peer: boolean }[],
): NetworkConfig['channels'][number] {
  const peers = organizations.filter(({ peer }) => peer).map(({ mspId }) => `'${mspId}.peer'`);
  return {
    name,
    members: organizations.map(({ mspId }) => mspId),
    endorsement: `OutOf(${Math.floor(peers.length / 2) + 1}, ${peers.join(', ')})`,
  };
}
