import { createPrivateKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Client, credentials } from '@grpc/grpc-js';
import { connect, type Contract, type Gateway, signers } from '@hyperledger/fabric-gateway';
import {
  batchMerkleRoot,
  formatCompact,
  type PowParameters,
  privateRecords,
  type SubmitBatch,
  targetOf,
} from '@strokeshare/chaincode';
import { connectLedger, type Ledger, type RecordsClient, recordsClient } from '@strokeshare/gateway-client';
import {
  clientProfile,
  type ClientProfile,
  deployChaincode,
  down,
  freePortRange,
  type NetworkConfig,
  up,
} from '@strokeshare/network';

export type Backend = NonNullable<NetworkConfig['backend']>;
export type Consensus = NonNullable<NetworkConfig['consensus']>;

/** A network to measure. */
export interface SealingOptions {
  backend: Backend;
  institutions: number;
  /** Native only. */
  consensus?: Consensus;
  /** Finds so many free ports in a row. */
  ports?: (count: number) => Promise<number>;
}

export const CHANNEL = 'sharing';
const CHAINCODE = 'records';
/** Peers, chaincodes, orderers with their operations and administration ports, and some room. */
const PORTS_EACH = 8;
const PORTS_BESIDE = 60;

/** When one batch was asked for, endorsed and committed: milliseconds of this process. */
export interface SharedBatch {
  readonly id: string;
  readonly asked: number;
  readonly endorsed: number;
  readonly committed: number;
}

/** One institution of the network: a client without retries, and the SDK's. */
export interface Institution {
  readonly mspId: string;
  readonly profile: ClientProfile;
  /** Fails at the first conflict: nothing is tried twice. */
  readonly contract: Contract;
  readonly ledger: Ledger;
  readonly client: RecordsClient;
}

/** Institutions that share record batches on one channel, under a majority policy, with the project's own contracts. */
export class SealingNetwork implements AsyncDisposable {
  private entered = 0;

  private constructor(
    readonly institutions: readonly Institution[],
    private readonly dir: string,
    private readonly connections: readonly (() => void)[],
  ) {}

  /** @throws NetworkError FABRIC_MISSING or FABRIC_VERSION where the machine cannot run the native backend */
  static async start(options: SealingOptions): Promise<SealingNetwork> {
    const dir = mkdtempSync(join(tmpdir(), `sealing-${options.backend}-`));
    const connections: (() => void)[] = [];
    try {
      const config = await networkOf(options, join(dir, 'network'));
      await up(config);
      const mspIds = config.organizations.map(({ mspId }) => mspId);
      await deployChaincode(config.dir, {
        channel: CHANNEL,
        name: CHAINCODE,
        version: '1.0',
        label: `${CHAINCODE}_1.0`,
        path: dirname(require.resolve('@strokeshare/chaincode/package.json')),
        organizations: mspIds,
        // The shim writes a line for every transaction, which would be measured too.
        env: { STROKESHARE_CONTRACTS: CHAINCODE, CORE_CHAINCODE_LOGGING_LEVEL: 'ERROR' },
      });
      const institutions: Institution[] = [];
      for (const mspId of mspIds) {
        const profile = clientProfile(config.dir, mspId, 'Agent1');
        const { contract, close } = contractOf(profile);
        connections.push(close);
        const ledger = await connectLedger(profile);
        connections.push(() => ledger[Symbol.dispose]());
        institutions.push({ mspId, profile, contract, ledger, client: recordsClient(ledger, CHANNEL) });
      }
      return new SealingNetwork(institutions, dir, connections);
    } catch (error) {
      await remove(dir, connections);
      throw error;
    }
  }

  get first(): Institution {
    const [first] = this.institutions;
    if (!first) throw new TypeError('a network has an institution');
    return first;
  }

  /** Has every block take so many hashes on average, adjusted after a long window. */
  async choosePow(expectedHashes: number, changes: Partial<PowParameters> = {}, depth = 1): Promise<void> {
    const target = formatCompact(targetOf(expectedHashes));
    await this.first.client.endorsement.choose({
      scheme: 'pow',
      parameters: {
        intervalMs: 1000,
        windowBlocks: 2016,
        target,
        easiestTarget: target,
        hardestTarget: formatCompact(targetOf(2 ** 80)),
        futureMs: 60_000,
        ...changes,
      },
      depth,
    });
  }

  /**
   * Shares one record batch of an institution: resolves when it is committed.
   * @throws Error where the transaction is not valid; nothing is tried twice
   */
  async share({ mspId, contract }: Institution): Promise<SharedBatch> {
    const request = batchNumber(++this.entered);
    const { name } = privateRecords.RecordsContract.SubmitBatch;
    const asked = performance.now();
    const endorsed = await contract.newProposal(name, { arguments: [JSON.stringify(request)] }).endorse();
    const endorsedAt = performance.now();
    const status = await (await endorsed.submit()).getStatus();
    if (!status.successful) throw new Error(`${name} was not committed: code ${status.code}.`);
    const id = `${mspId}/${request.datasetId}/${request.batchId}`;
    return { id, asked, endorsed: endorsedAt, committed: performance.now() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await remove(this.dir, this.connections);
  }
}

/** A batch's entry as an agent makes it: ten columns. */
function batchNumber(number: number): SubmitBatch {
  const columns = Object.fromEntries(
    Array.from({ length: 10 }, (_, i) => [`COLUMN${i}`, (number * 16 + i).toString(16).padStart(64, '0')]),
  );
  return {
    batchId: `batch-${number}`,
    datasetId: 'ist',
    epochId: 'epoch-1',
    manifestHash: '0'.repeat(64),
    merkleRoot: batchMerkleRoot(columns),
    rows: 1000,
    columns,
    provenance: {
      sourceHash: '1'.repeat(64),
      mappingHash: '2'.repeat(64),
      software: 'experiment',
      readAt: '2026-01-01T00:00:00Z',
      readBy: 'experiment',
    },
  };
}

async function networkOf(
  { backend, institutions, consensus, ports }: SealingOptions,
  dir: string,
): Promise<NetworkConfig> {
  const organizations = Array.from({ length: institutions }, (_, index) => ({
    mspId: `Hospital${index + 1}MSP`,
    domain: `hospital${index + 1}.example.com`,
    peer: true,
    users: [{ name: 'Agent1', attributes: { 'strokeshare.role': 'institution' } }],
  }));
  const peers = organizations.map(({ mspId }) => `'${mspId}.peer'`);
  return {
    dir,
    backend,
    ...(consensus && { consensus }),
    basePort: await (ports ?? freePortRange)(PORTS_BESIDE + PORTS_EACH * institutions),
    organizations,
    channels: [
      {
        name: CHANNEL,
        members: organizations.map(({ mspId }) => mspId),
        endorsement: `OutOf(${Math.floor(institutions / 2) + 1}, ${peers.join(', ')})`,
      },
    ],
  };
}

function contractOf(profile: ClientProfile): { contract: Contract; close: () => void } {
  const client = new Client(
    profile.peerEndpoint,
    credentials.createSsl(readFileSync(profile.tlsCaCertPath)),
    {
      'grpc.ssl_target_name_override': profile.peerHostAlias,
      // Several networks have the same host names, which must not share a connection.
      'grpc.use_local_subchannel_pool': 1,
    },
  );
  const deadline = (): { deadline: number } => ({ deadline: Date.now() + 300_000 });
  const gateway: Gateway = connect({
    client,
    identity: { mspId: profile.mspId, credentials: readFileSync(profile.certPath) },
    signer: signers.newPrivateKeySigner(createPrivateKey(readFileSync(profile.keyPath))),
    evaluateOptions: deadline,
    endorseOptions: deadline,
    submitOptions: deadline,
    commitStatusOptions: deadline,
  });
  return {
    contract: gateway.getNetwork(CHANNEL).getContract(CHAINCODE),
    close: () => {
      gateway.close();
      client.close();
    },
  };
}

async function remove(dir: string, connections: readonly (() => void)[]): Promise<void> {
  for (const close of connections) close();
  await down(join(dir, 'network')).catch(() => undefined);
  rmSync(dir, { recursive: true, force: true });
}
