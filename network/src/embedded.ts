import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { common, peer } from '@hyperledger/fabric-protos';
import { Timestamp } from 'google-protobuf/google/protobuf/timestamp_pb.js';
import {
  type BatchOptions,
  type ChaincodeDeployment,
  type ChaincodeStatus,
  type ChannelOptions,
  defaultBatch,
  type EmbeddedOptions,
  type EmbeddedStatus,
} from './embedded-options.js';
import { chaincodeDefinition, definedChaincodes, type PeerChannel } from './endorser/channel.js';
import { commitDefinitionArguments } from './endorser/lifecycle.js';
import { unpackProposal } from './endorser/proposal.js';
import { prepareTransaction } from './gateway/gateway.js';
import { type PeerDirectory } from './gateway/peer-directory.js';
import { responseStatus } from './gateway/response-status.js';
import { lifecycleNamespace } from './ledger/lifecycle-state.js';
import { PeerLedger } from './ledger/peer-ledger.js';
import { Signer } from './msp/identity.js';
import { MspManager } from './msp/manager.js';
import { Msp } from './msp/msp.js';
import { genesisEnvelope } from './orderer/genesis.js';
import { OrdererChannel } from './orderer/orderer.js';
import { PeerNode } from './peer-node.js';
import { ChannelPolicies, encodeApplicationPolicy, parsePolicy } from './policy/channel-policies.js';
import { equalBytes, errorMessage } from './protos/bytes.js';
import { Code, transactionId, TransactionEnvelope } from './protos/transaction.js';

/** How long a new definition waits for its chaincode processes and for its commit. */
const deployTimeoutMs = 60_000;

interface Channel {
  readonly options: ChannelOptions;
  readonly policies: ChannelPolicies;
  readonly orderer: OrdererChannel;
}

/** Why the embedded network could not do something; stable, for programs. */
export type EmbeddedErrorCode =
  | 'CHANNEL_UNKNOWN'
  | 'CHANNEL_EXISTS'
  | 'ORGANIZATION_UNKNOWN'
  | 'CHAINCODE_UNREACHABLE'
  | 'DEFINITION_REFUSED'
  | 'LISTEN_FAILED';

export class EmbeddedError extends Error {
  override readonly name = 'EmbeddedError';

  constructor(
    readonly code: EmbeddedErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

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
  readonly #channels = new Map<string, Channel>();
  readonly #peers = new Map<string, PeerNode>();
  readonly #msps = new Map<string, Msp>();
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

  broadcast(channel: string, envelope: Uint8Array): ReturnType<OrdererChannel['broadcast']> | undefined {
    return this.#channels.get(channel)?.orderer.broadcast(envelope);
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
    const { orderer } = this.#channel(channelName);
    const { name, version, sequence, endorsementPolicy } = deployment;
    const validationParameter = encodeApplicationPolicy(
      endorsementPolicy === undefined ? '/Channel/Application/Endorsement' : parsePolicy(endorsementPolicy),
    );
    await this.connectChaincode(channelName, deployment);
    const [first] = this.peersOf(channelName);
    const channel = first?.channel(channelName);
    const current = channel && chaincodeDefinition(channel, name);
    const same =
      current?.sequence === sequence &&
      current.version === version &&
      equalBytes(current.validationParameter, validationParameter);
    if (!same)
      await this.#commitDefinition(channelName, orderer, { name, version, sequence, validationParameter });
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
    const channel = await this.#openOrderer(options);
    for (const node of this.#peers.values()) {
      if (options.members.includes(node.mspId)) node.join(await this.#openPeerChannel(node.mspId, channel));
    }
  }

  status(): EmbeddedStatus {
    return {
      peers: Array.from(this.#peers.values(), ({ mspId, name, address }) => ({ mspId, name, address })),
      channels: Array.from(this.#channels, ([name, { options, orderer }]) => {
        const nodes = this.peersOf(name);
        return {
          name,
          members: options.members,
          heights: Object.fromEntries(
            nodes.map((node) => [node.mspId, node.channel(name)?.ledger.height ?? 0]),
          ),
          ordererHeight: orderer.height,
          chaincodes: [...(this.#chaincodes.get(name) ?? [])].flatMap((chaincode) =>
            chaincodeStatus(nodes, name, chaincode),
          ),
        };
      }),
    };
  }

  /** Reads every block of every peer and the orderer and follows the hashes. @throws LedgerError BLOCK_DAMAGED */
  async verify(): Promise<void> {
    for (const node of this.#peers.values()) {
      for (const { ledger } of node.channels.values()) await ledger.verify();
    }
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
    for (const organization of this.options.organizations) {
      this.#msps.set(organization.mspId, await Msp.create(organization));
    }
    for (const channel of this.options.channels) await this.#openOrderer(channel);
    for (const organization of this.options.organizations) {
      if (!organization.peer) continue;
      const channels: PeerChannel[] = [];
      for (const channel of this.#channels.values()) {
        if (channel.options.members.includes(organization.mspId)) {
          channels.push(await this.#openPeerChannel(organization.mspId, channel));
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

  async #openOrderer(options: ChannelOptions): Promise<Channel> {
    if (this.#channels.has(options.name)) {
      throw new EmbeddedError('CHANNEL_EXISTS', `The channel ${options.name} exists already.`);
    }
    const members = options.members.map((mspId) => {
      const msp = this.#msps.get(mspId);
      if (!msp)
        throw new EmbeddedError('ORGANIZATION_UNKNOWN', `There is no organisation ${mspId} in the network.`);
      return msp;
    });
    const endorsement = parsePolicy(options.endorsement);
    const policies = new ChannelPolicies(new MspManager(members), options.members, {
      Endorsement: endorsement,
      LifecycleEndorsement: options.lifecycleEndorsement
        ? parsePolicy(options.lifecycleEndorsement)
        : endorsement,
      ...(options.admins ? { Admins: parsePolicy(options.admins) } : {}),
    });
    const batch: BatchOptions = { ...defaultBatch, ...options.batch };
    const { orderer, organizations } = this.options;
    const channel: Channel = {
      options,
      policies,
      orderer: await OrdererChannel.open({
        channel: options.name,
        dir: join(this.options.dir, 'orderer', options.name),
        signer: new Signer(orderer.mspId, orderer.signing),
        policies,
        batch,
        genesis: () =>
          genesisEnvelope({
            channel: options,
            organizations: organizations.filter(({ mspId }) => options.members.includes(mspId)),
            orderer,
            batch,
            policies,
          }),
        onError: (error) => this.#log(`orderer of ${options.name}: ${errorMessage(error)}`),
      }),
    };
    this.#channels.set(options.name, channel);
    this.#chaincodes.set(options.name, new Set());
    return channel;
  }

  /** Opens a peer's ledger, catches up with the orderer's blocks and follows them. */
  async #openPeerChannel(mspId: string, { options, policies, orderer }: Channel): Promise<PeerChannel> {
    const ledger = await PeerLedger.open({
      dir: join(this.options.dir, 'peers', mspId, options.name),
      channel: options.name,
      policies,
      onInvalid: (txId, { code, reason }) =>
        this.#log(
          `${mspId}: ${options.name}: transaction ${txId} is invalid: ${codeName(code)}: ${reason ?? ''}`,
        ),
    });
    try {
      for (let number = orderer.height; number < ledger.height; number++) {
        this.#log(`orderer of ${options.name}: takes block ${number} from the peer of ${mspId}`);
        await orderer.adopt((await ledger.block(number)).block);
      }
      for (let number = ledger.height; number < orderer.height; number++) {
        const block = await orderer.block(number);
        await ledger.commit(
          block,
          block.data.map((bytes) => new TransactionEnvelope(bytes)),
        );
      }
    } catch (error) {
      await ledger.close();
      throw error;
    }
    orderer.deliverTo((block, transactions) => {
      ledger
        .commit(block, transactions)
        .catch((error: unknown) =>
          this.#log(`${mspId}: ${options.name}: commit failed: ${errorMessage(error)}`),
        );
    });
    const channel = { name: options.name, policies, ledger };
    for (const name of await definedChaincodes(channel)) this.#chaincodes.get(options.name)?.add(name);
    return channel;
  }

  async #commitDefinition(
    channelName: string,
    orderer: OrdererChannel,
    definition: Parameters<typeof commitDefinitionArguments>[0],
  ): Promise<void> {
    const refused = (reason: string): EmbeddedError =>
      new EmbeddedError(
        'DEFINITION_REFUSED',
        `The definition of chaincode ${definition.name} was not committed on ${channelName}: ${reason}.`,
      );
    const nodes = this.peersOf(channelName);
    const admins = this.options.organizations.filter(
      ({ mspId, admin }) => admin && nodes.some((node) => node.mspId === mspId),
    );
    const admin = admins[0]?.admin;
    if (!admin || !admins[0]) throw refused('no member organisation has an administrator here');
    const signer = new Signer(admins[0].mspId, admin);
    const { signed, txId } = lifecycleProposal(signer, channelName, commitDefinitionArguments(definition));
    const endorsements: peer.Endorsement[] = [];
    let payload = new Uint8Array(0);
    for (const node of nodes) {
      const answer = responseStatus(await node.endorser.process(signed));
      if (!answer.ok) throw refused(answer.message);
      const endorsement = answer.response.getEndorsement();
      if (endorsement) endorsements.push(endorsement);
      payload = Uint8Array.from(answer.response.getPayload_asU8());
    }
    const envelope = prepareTransaction(unpackProposal(signed), { payload, endorsements });
    envelope.setSignature(signer.sign(envelope.getPayload_asU8()));
    const timeout = AbortSignal.timeout(deployTimeoutMs);
    const committed = nodes.map((node) => node.channel(channelName)?.ledger.transactionStatus(txId, timeout));
    const { status, info } = orderer.broadcast(envelope.serializeBinary());
    if (status !== common.Status.SUCCESS) throw refused(info);
    for (const result of await Promise.all(committed)) {
      if (!result) throw refused('it was not committed in time');
      if (result.code !== Code.VALID) throw refused(codeName(result.code));
    }
  }

  #channel(name: string): Channel {
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

function chaincodeStatus(nodes: readonly PeerNode[], channelName: string, name: string): ChaincodeStatus[] {
  const channel = nodes[0]?.channel(channelName);
  const definition = channel && chaincodeDefinition(channel, name);
  if (!definition) return [];
  const { version, sequence } = definition;
  const connections = nodes.flatMap((node) => {
    const connection = node.chaincodes.connection(channelName, name, sequence);
    if (!connection) return [];
    const { ready, reason } = connection;
    return [[node.mspId, ready ? { ready } : { ready, reason }] as const];
  });
  return [{ name, version, sequence, connections: Object.fromEntries(connections) }];
}

/** Fabric's name of a validation code. */
export function codeName(code: number): string {
  return Object.entries(Code).find(([, number]) => number === code)?.[0] ?? String(code);
}

function lifecycleProposal(
  signer: Signer,
  channel: string,
  args: readonly Uint8Array[],
): { signed: peer.SignedProposal; txId: string } {
  const id = new peer.ChaincodeID();
  id.setName(lifecycleNamespace);
  const extension = new peer.ChaincodeHeaderExtension();
  extension.setChaincodeId(id);
  const signatureHeader = signer.signatureHeader();
  const txId = transactionId(signatureHeader.getNonce_asU8(), signatureHeader.getCreator_asU8());
  const channelHeader = new common.ChannelHeader();
  channelHeader.setType(common.HeaderType.ENDORSER_TRANSACTION);
  channelHeader.setTxId(txId);
  channelHeader.setTimestamp(Timestamp.fromDate(new Date()));
  channelHeader.setChannelId(channel);
  channelHeader.setExtension$(extension.serializeBinary());
  const header = new common.Header();
  header.setChannelHeader(channelHeader.serializeBinary());
  header.setSignatureHeader(signatureHeader.serializeBinary());

  const input = new peer.ChaincodeInput();
  input.setArgsList([...args]);
  const spec = new peer.ChaincodeSpec();
  spec.setType(peer.ChaincodeSpec.Type.NODE);
  spec.setChaincodeId(id);
  spec.setInput(input);
  const invocation = new peer.ChaincodeInvocationSpec();
  invocation.setChaincodeSpec(spec);
  const payload = new peer.ChaincodeProposalPayload();
  payload.setInput(invocation.serializeBinary());
  const proposal = new peer.Proposal();
  proposal.setHeader(header.serializeBinary());
  proposal.setPayload(payload.serializeBinary());
  const signed = new peer.SignedProposal();
  signed.setProposalBytes(proposal.serializeBinary());
  signed.setSignature(signer.sign(signed.getProposalBytes_asU8()));
  return { signed, txId };
}
