import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createChannel,
  deployChaincode,
  down,
  freePortRange,
  type NetworkConfig,
  up,
} from '@strokeshare/network';
import { Pki, treePlaces } from './pki.js';
import { type Deployed, type Hospital, hospitals, networkConfig } from './layout.js';

/** `existing`: a network that was not started here, known by the profiles that its operators hand out. */
export type Backend = 'embedded' | 'native' | 'existing';

/** A network of one backend. */
export interface Running {
  /** Its directory, where it was started here. */
  readonly dir?: string;
  /** Organisations with a peer. */
  readonly withPeers: readonly string[];
  /** `host:port` of the peer of one of them. */
  address(mspId: string): string;
  readonly pki: Pki;
  /** Deploys the suite's chaincode, again where it is deployed already. */
  deploy(chaincode: Deployed, version?: string): Promise<void>;
  createChannel(channel: NetworkConfig['channels'][number]): Promise<void>;
  close(): Promise<void>;
}

export const chaincodeFolder = join(__dirname, '..', '..', 'chaincode');

/** Of orderers, chaincodes and operations. */
const PORTS = 600;

/** Starts the suite's network, without chaincode. */
export async function start(
  backend: Exclude<Backend, 'existing'>,
  dir = mkdtempSync(join(tmpdir(), `conformance-${backend}-`)),
): Promise<Running> {
  // Test files that run at the same time do so in different workers of jest.
  const basePort = await freePortRange(PORTS + hospitals.length, Number(process.env['JEST_WORKER_ID'] ?? 0));
  const peerPorts = Object.fromEntries(
    hospitals.map((mspId, index) => [mspId, basePort + PORTS + index]),
  ) as Record<Hospital, number>;
  await up({ ...networkConfig(dir, basePort, peerPorts), backend });
  return {
    dir,
    withPeers: hospitals,
    address: (mspId) => `127.0.0.1:${peerPorts[mspId as Hospital]}`,
    pki: new Pki(treePlaces(dir)),
    deploy: ({ channel, name, organizations, endorsement, label = 'conformance' }, version = '1.0') =>
      deployChaincode(dir, {
        channel,
        name,
        version,
        label: `${label}_${version}`,
        path: chaincodeFolder,
        organizations,
        ...(endorsement === undefined ? {} : { endorsement }),
      }),
    createChannel: (channel) => createChannel(dir, channel),
    close: async () => {
      await down(dir);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
