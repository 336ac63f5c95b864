import { mkdirSync } from 'node:fs';
import { ChannelHost } from './channel-host.js';
import { EmbeddedError } from './embedded-error.js';
import {
  type ChaincodeDeployment,
  type ChannelOptions,
  type EmbeddedOptions,
  type EmbeddedStatus,
} from './embedded-options.js';
import { definedChaincodes, type PeerChannel } from './endorser/channel.js';
import { channelStatus } from './embedded-status.js';
import { commitDefinition } from './endorser/commit-definition.js';
import { type PeerDirectory } from './gateway/peer-directory.js';
import { Signer } from './msp/identity.js';
import { type BroadcastResult } from './orderer/orderer.js';
import { PeerNode } from './peer-node.js';
import { encodeApplicationPolicy, parsePolicy } from './policy/channel-policies.js';
import { equalBytes, errorMessage } from './protos/bytes.js';
import { TransactionEnvelope } from './protos/transaction.js';

export { EmbeddedError, type EmbeddedErrorCode } from './embedded-error.js';

/** How long a definition waits for its chaincode processes. */
const deployTimeoutMs = 60_000;

/**
 * Starts a Fabric network inside this process: one peer for each organisation that has one, each with its own gRPC
 * TLS server, identity and ledgers, and a single orderer. Ledgers that are in the folder are opened and brought up to
 * date. Chaincodes run elsewhere: `defineChaincode` says where.
 *
 * @throws EmbeddedError LISTEN_FAILED; LedgerError where ledger files are damaged
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedNetwork> {
  const network = new EmbeddedNetwork(options);
  try {
    await network.open();
  } catch (error) {
    await network.close();
    throw error;
  }
  return network;
}

export class EmbeddedNetwork implements PeerDirectory, AsyncDisposable {
  readonly #channels = new Map<string, ChannelHost>();
  readonly #peers = new Map<string, PeerNode>();
  /** Names of the chaincodes defined on each channel. */
  readonly #chaincodes = new Map<string, Set<string>>();
  readonly #log: (message: string) => void;

  /** Use `startEmbedded`. */
  constructor(private readonly options: EmbeddedOptions) {
    this.#log = options.log ?? (() => undefined);
  }

  /** `host:port` of an organisation's peer. @throws EmbeddedError ORGANIZATION_UNKNOWN */
  peerAddress(mspId: string): string {
    return this.#peer(mspId).address;
  }

  peersOf(channel: string): PeerNode[] {
    return [...this.#peers.values()].filter((node) => node.channels.has(channel));
  }

  broadcast(channel: string, envelope: Uint8Array): BroadcastResult | undefined {
    const named = this.#channels.get(channel);
    if (!named) return undefined;
    const transaction = new TransactionEnvelope(envelope);
    // The orderer goes by the channel in the transaction.
    const { orderer } = (transaction.headers && this.#channels.get(transaction.channelId)) ?? named;
    return orderer.broadcast(transaction);
  }

  /**
   * Connects peers to their chaincode processes, waits until all have registered and, if the definition is new, commits
   * it to the channel under the lifecycle policy. New processes are connected before the definition is committed, so
   * that the old ones serve until then.
   *
   * @throws EmbeddedError CHAINCODE_UNREACHABLE, DEFINITION_REFUSED, CHANNEL_UNKNOWN, ORGANIZATION_UNKNOWN;
   * PolicySyntaxError
   */
  async defineChaincode(channelName: string, deployment: ChaincodeDeployment): Promise<void> {
    this.#channel(channelName);
    const { name, sequence } = deployment;
    const approvals = Object.keys(deployment.organizations).map(
      (mspId) => [mspId, this.#peer(mspId).chaincodes.approved(channelName, name, sequence)] as const,
    );
    try {
      await this.connectChaincode(channelName, deployment);
      await this.#commitDefinition(channelName, deployment);
    } catch (error) {
      // A process that serves no definition is about to end: nobody shall go on dialling it.
      for (const [mspId, packageId] of approvals) {
        this.#peer(mspId).chaincodes.withdraw(channelName, name, sequence, packageId);
      }
      throw error;
    }
    this.#chaincodes.get(channelName)?.add(name);
    for (const node of this.#peers.values()) node.chaincodes.retireBefore(channelName, name, sequence);
  }

  /**
   * Connects peers to the processes of a chaincode that is defined already, as after a restart.
   *
   * @throws EmbeddedError CHAINCODE_UNREACHABLE, CHANNEL_UNKNOWN, ORGANIZATION_UNKNOWN
   */
  async connectChaincode(channelName: string, deployment: ChaincodeDeployment): Promise<void> {
    this.#channel(channelName);
    const { name, sequence, organizations } = deployment;
    const connecting = Object.entries(organizations).map(async ([mspId, { address, packageId }]) => {
      const { chaincodes } = this.#peer(mspId);
      const connection = chaincodes.connect(packageId, address);
      chaincodes.approve(channelName, name, sequence, packageId);
      if (await connection.whenReady(deployTimeoutMs)) return;
      throw new EmbeddedError(
        'CHAINCODE_UNREACHABLE',
        `The peer of ${mspId} cannot reach the chaincode ${packageId} at ${address}: ${connection.reason}.`,
      );
    });
    await Promise.all(connecting);
  }

  /**
   * Adds a channel to the running network.
   *
   * @throws EmbeddedError CHANNEL_EXISTS, ORGANIZATION_UNKNOWN; PolicySyntaxError
   */
  async createChannel(options: ChannelOptions): Promise<void> {
    const channel = await this.#openChannel(options);
    for (const node of this.#peers.values()) {
      if (options.members.includes(node.mspId)) node.join(await this.#join(node.mspId, channel));
    }
  }

  status(): EmbeddedStatus {
    return {
      peers: Array.from(this.#peers.values(), ({ mspId, name, address }) => ({ mspId, name, address })),
      channels: Array.from(this.#channels, ([name, host]) =>
        channelStatus(host, this.peersOf(name), this.#chaincodes.get(name) ?? [], this.options.orderer.mspId),
      ),
    };
  }

  /**
   * Reads every block of every peer and the orderer and follows the hashes; `status` lists all damage that was found.
   *
   * @throws LedgerError BLOCK_DAMAGED, the first one
   */
  async verify(): Promise<void> {
    const copies = Array.from(this.#channels, ([name, { orderer }]) => [
      orderer,
      ...this.peersOf(name).flatMap((node) => node.channel(name)?.ledger ?? []),
    ]).flat();
    const results: PromiseSettledResult<void>[] = [];
    for (const copy of copies) results.push(...(await Promise.allSettled([copy.verify()])));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  /** Stops serving, writes what is waiting and closes the ledgers. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.#channels.values(), ({ orderer }) => orderer.close()));
    await Promise.all(Array.from(this.#peers.values(), (node) => node.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Use `startEmbedded`. */
  async open(): Promise<void> {
    mkdirSync(this.options.dir, { recursive: true, mode: 0o700 });
    for (const channel of this.options.channels) await this.#openChannel(channel);
    for (const organization of this.options.organizations) {
      if (!organization.peer) continue;
      const channels: PeerChannel[] = [];
      for (const channel of this.#channels.values()) {
        if (channel.options.members.includes(organization.mspId)) {
          channels.push(await this.#join(organization.mspId, channel));
        }
      }
      const node = new PeerNode({
        mspId: organization.mspId,
        peer: organization.peer,
        channels,
        directory: this,
        timeWindowSeconds: this.options.timeWindowSeconds ?? 900,
        executeTimeoutMs: this.options.executeTimeoutMs ?? 30_000,
        log: this.#log,
      });
      this.#peers.set(organization.mspId, node);
      try {
        await node.listen();
      } catch (cause) {
        throw new EmbeddedError(
          'LISTEN_FAILED',
          `The peer of ${organization.mspId} cannot listen on ${organization.peer.listenAddress}: ${errorMessage(cause)}.`,
          { cause },
        );
      }
    }
  }

  /** Commits the definition unless it is the one in force. */
  async #commitDefinition(channelName: string, deployment: ChaincodeDeployment): Promise<void> {
    const { name, version, sequence, endorsementPolicy } = deployment;
    const validationParameter = encodeApplicationPolicy(
      endorsementPolicy === undefined ? '/Channel/Application/Endorsement' : parsePolicy(endorsementPolicy),
    );
    const peers = this.peersOf(channelName).flatMap(({ endorser, channels }) => {
      const ledger = channels.get(channelName)?.ledger;
      return ledger ? [{ endorser, ledger }] : [];
    });
    const current = peers[0]?.ledger.definition(name);
    if (
      current?.sequence === sequence &&
      current.version === version &&
      equalBytes(current.validationParameter, validationParameter)
    )
      return;
    const { orderer } = this.#channel(channelName);
    const definition = { name, version, sequence, validationParameter };
    await commitDefinition(channelName, orderer, peers, this.#administrator(channelName), definition);
  }

  async #openChannel(options: ChannelOptions): Promise<ChannelHost> {
    if (this.#channels.has(options.name)) {
      throw new EmbeddedError('CHANNEL_EXISTS', `The channel ${options.name} exists already.`);
    }
    const channel = await ChannelHost.open(options, this.options, this.#log);
    this.#channels.set(options.name, channel);
    this.#chaincodes.set(options.name, new Set());
    return channel;
  }

  async #join(mspId: string, host: ChannelHost): Promise<PeerChannel> {
    const channel = await host.join(mspId);
    for (const name of await definedChaincodes(channel)) this.#chaincodes.get(channel.name)?.add(name);
    return channel;
  }

  /** An administrator of a member with a peer, who signs definitions. */
  #administrator(channelName: string): Signer {
    for (const { mspId } of this.peersOf(channelName)) {
      const admin = this.options.organizations.find((organization) => organization.mspId === mspId)?.admin;
      if (admin) return new Signer(mspId, admin);
    }
    throw new EmbeddedError(
      'DEFINITION_REFUSED',
      `No member of ${channelName} has an administrator here who could sign a definition.`,
    );
  }

  #channel(name: string): ChannelHost {
    const channel = this.#channels.get(name);
    if (!channel) throw new EmbeddedError('CHANNEL_UNKNOWN', `There is no channel ${name} in the network.`);
    return channel;
  }

  #peer(mspId: string): PeerNode {
    const node = this.#peers.get(mspId);
    if (!node)
      throw new EmbeddedError('ORGANIZATION_UNKNOWN', `There is no peer of ${mspId} in the network.`);
    return node;
  }
}
