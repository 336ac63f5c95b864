import { createPrivateKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, credentials } from '@grpc/grpc-js';
import { connect, type Contract, type Gateway, hash, signers } from '@hyperledger/fabric-gateway';
import { clientProfile, deployChaincode, down, type NetworkConfig, up } from '@strokeshare/network';
import { memoryOf } from '../../memory.js';
import { ROOT } from '../../report.js';

export type Backend = NonNullable<NetworkConfig['backend']>;

const CHANNEL = 'bench';
const CHAINCODE = 'values';
const DEADLINE_MS = 300_000;

/** A running network of a majority policy with the chaincode `values`, and one client of its first organisation. */
export class BenchNetwork implements AsyncDisposable {
  private constructor(
    readonly backend: Backend,
    /** Seconds from nothing to a network that takes transactions, without chaincode. */
    readonly startSeconds: number,
    readonly contract: Contract,
    private readonly dir: string,
    private readonly gateway: Gateway,
    private readonly client: Client,
  ) {}

  /** @throws NetworkError FABRIC_MISSING or FABRIC_VERSION where the machine cannot run the native backend */
  static async start(backend: Backend, organizations: number, basePort: number): Promise<BenchNetwork> {
    const dir = mkdtempSync(join(tmpdir(), `bench-${backend}-`));
    const config = networkOf(backend, organizations, join(dir, 'network'), basePort);
    // What `up` starts inherits it, and `memoryOf` finds the processes by it.
    process.env['STROKESHARE_LEDGER_BENCH'] = dir;
    try {
      const started = performance.now();
      await up(config);
      const startSeconds = (performance.now() - started) / 1000;
      const mspIds = config.organizations.map(({ mspId }) => mspId);
      await deployChaincode(config.dir, {
        channel: CHANNEL,
        name: CHAINCODE,
        version: '1.0',
        label: 'values_1.0',
        path: join(ROOT, 'experiments', 'chaincode', CHAINCODE),
        organizations: mspIds,
        // The shim writes a line for every transaction, which would be measured too.
        env: { CORE_CHAINCODE_LOGGING_LEVEL: 'ERROR' },
      });
      const { gateway, client } = connectTo(config.dir);
      const contract = gateway.getNetwork(CHANNEL).getContract(CHAINCODE);
      return new BenchNetwork(backend, startSeconds, contract, dir, gateway, client);
    } catch (error) {
      await remove(dir);
      throw error;
    } finally {
      delete process.env['STROKESHARE_LEDGER_BENCH'];
    }
  }

  /** Memory of the network's and the chaincodes' processes together, in bytes. */
  memory(): Promise<number> {
    return memoryOf(`STROKESHARE_LEDGER_BENCH=${this.dir}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.gateway.close();
    this.client.close();
    await remove(this.dir);
  }
}

function networkOf(backend: Backend, count: number, dir: string, basePort: number): NetworkConfig {
  const organizations = Array.from({ length: count }, (_, index) => ({
    mspId: `Org${index + 1}MSP`,
    domain: `org${index + 1}.example.com`,
    peer: true,
    users: [{ name: 'User1' }],
  }));
  const peers = organizations.map(({ mspId }) => `'${mspId}.peer'`);
  return {
    dir,
    backend,
    basePort,
    organizations,
    channels: [
      {
        name: CHANNEL,
        members: organizations.map(({ mspId }) => mspId),
        endorsement: `OutOf(${Math.floor(count / 2) + 1}, ${peers.join(', ')})`,
      },
    ],
  };
}

function connectTo(dir: string): { gateway: Gateway; client: Client } {
  const profile = clientProfile(dir, 'Org1MSP', 'User1');
  const client = new Client(
    profile.peerEndpoint,
    credentials.createSsl(readFileSync(profile.tlsCaCertPath)),
    {
      'grpc.ssl_target_name_override': profile.peerHostAlias,
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
      // The default of 64 KiB would make this client, not the ledger, the measure of large values.
      'grpc-node.flow_control_window': 8 * 1024 * 1024,
      // Several networks have the same host names, which must not share a connection.
      'grpc.use_local_subchannel_pool': 1,
    },
  );
  const deadline = (): { deadline: number } => ({ deadline: Date.now() + DEADLINE_MS });
  const gateway = connect({
    client,
    hash: hash.sha256,
    identity: { mspId: profile.mspId, credentials: readFileSync(profile.certPath) },
    signer: signers.newPrivateKeySigner(createPrivateKey(readFileSync(profile.keyPath))),
    evaluateOptions: deadline,
    endorseOptions: deadline,
    submitOptions: deadline,
    commitStatusOptions: deadline,
  });
  return { gateway, client };
}

async function remove(dir: string): Promise<void> {
  await down(join(dir, 'network')).catch(() => undefined);
  rmSync(dir, { recursive: true, force: true });
}
