import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createChannel, deployChaincode, down, type NetworkConfig, up } from '@strokeshare/network';
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

/** Starts the suite's network, without chaincode. */
export async function start(
  backend: Exclude<Backend, 'existing'>,
  dir = mkdtempSync(join(tmpdir(), `conformance-${backend}-`)),
): Promise<Running> {
  const [basePort, ...free] = await freePorts(1 + hospitals.length);
  const peerPorts = Object.fromEntries(hospitals.map((mspId, index) => [mspId, free[index]])) as Record<
    Hospital,
    number
  >;
  await up({ ...networkConfig(dir, basePort ?? 0, peerPorts), backend });
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

/** Ports that are free now, all different. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  return Promise.all(
    servers.map(async (server) => {
      const address = server.address();
      server.close();
      await once(server, 'close');
      if (address === null || typeof address === 'string') throw new Error('no port');
      return address.port;
    }),
  );
}
