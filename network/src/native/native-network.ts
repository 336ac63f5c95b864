import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ADMIN, issueOrderer, ordererDomain } from '../certificates/index.js';
import type { ResolvedConfig } from '../config/index.js';
import { channelOptions } from '../daemon/embeddedConfig.js';
import { readJson, writeJson } from '../daemon/files.js';
import type { ChaincodeDeployment, ChannelOptions, EmbeddedStatus } from '../embedded-options.js';
import type { Ledger } from '../daemon/ledger.js';
import type { FabricStatus } from '../daemon/protocol.js';
import { NetworkError } from '../errors.js';
import { findFabric, type FabricBinaries } from './binaries.js';
import { packChaincodeService } from './chaincode-package.js';
import { joinChannel } from './channels.js';
import { FabricCli } from './cli.js';
import { endorsingOrganizations } from './discovery.js';
import { committedDefinitions, defineChaincode, installApproved } from './lifecycle.js';
import { gaugeByChannel } from './metrics.js';
import { Nodes } from './nodes.js';
import { nativePaths, ordererName, planNetwork, planSchema, type NativePlan, type PeerNode } from './plan.js';

export interface NativeOptions {
  /** The network; its identity tree must have been issued. */
  readonly config: ResolvedConfig;
  /** Hears what is being done, a sentence at a time. */
  readonly onProgress?: (sentence: string) => void;
  /** Default: where PATH and FABRIC_BIN_DIR say. */
  readonly fabric?: FabricBinaries;
}

/** Longest time until a channel has a leader, or a committed chaincode can be called everywhere. */
const READY_DEADLINE_MS = 60_000;

/** How a node tells that it is the leader of a channel's orderers. */
const LEADER_GAUGES = ['consensus_etcdraft_is_leader', 'consensus_BFT_is_leader'] as const;
const BLOCK_GAUGES = [
  'consensus_etcdraft_committed_block_number',
  'consensus_BFT_committed_block_number',
] as const;

/** A network of real Fabric orderers and peers on the loopback interface of this machine. */
export class NativeNetwork implements Ledger {
  readonly #cli: FabricCli;
  readonly #nodes: Nodes;
  readonly #channels = new Map<string, ChannelOptions>();

  private constructor(
    readonly config: ResolvedConfig,
    readonly plan: NativePlan,
    readonly fabric: FabricBinaries,
  ) {
    this.#cli = new FabricCli(config, plan, fabric);
    this.#nodes = new Nodes(config, fabric);
  }

  /**
   * Starts every orderer and peer and makes the channels that are not there yet; where the network ran before, it goes
   * on with its ledgers.
   * @throws NetworkError FABRIC_MISSING, FABRIC_VERSION, CONFIG_INVALID, NODE_FAILED or FABRIC_COMMAND_FAILED
   */
  static async start(options: NativeOptions): Promise<NativeNetwork> {
    const { config, onProgress = () => undefined } = options;
    const { consensus } = config;
    const fabric = options.fabric ?? (await findFabric());
    if (consensus === 'bft' && !fabric.bft)
      throw new NetworkError(
        'FABRIC_VERSION',
        `Fabric ${fabric.version} has no SmartBFT; it came with Fabric 3.`,
      );
    const paths = nativePaths(config);
    let plan = readJson(paths.plan, planSchema);
    if (!plan) {
      plan = await planNetwork(config);
      mkdirSync(dirname(paths.plan), { recursive: true, mode: 0o700 });
      writeJson(paths.plan, plan);
    }
    for (let index = 0; index < plan.orderers.length; index++) {
      if (!existsSync(paths.orderers.node(ordererName(index)).msp.certificate))
        await issueOrderer(config.dir, ordererDomain(config), ordererName(index));
    }
    const network = new NativeNetwork(config, plan, fabric);
    try {
      await network.startNodes(onProgress);
      onProgress(`Joining ${config.channels.map(({ name }) => name).join(', ')}`);
      await Promise.all(config.channels.map((channel) => network.createChannel(channelOptions(channel))));
    } catch (error) {
      await network.close();
      throw error;
    }
    return network;
  }

  /** Makes a channel, or takes it up again, and returns when it orders transactions. */
  async createChannel(channel: ChannelOptions): Promise<void> {
    this.#channels.set(channel.name, channel);
    try {
      await joinChannel(this.#cli, channel);
      await until(
        `the channel ${channel.name} has a leader`,
        async () => (await this.leader(channel.name)) !== undefined,
      );
    } catch (error) {
      this.#channels.delete(channel.name);
      throw error;
    }
  }

  /**
   * The package id under which an organisation's process of a chaincode must register. A package for a service says
   * where it listens and nothing of its code, so its label carries the code's digest.
   */
  async servicePackageId(
    code: { readonly label: string; readonly packageId: string },
    address: string,
  ): Promise<string> {
    const digest = code.packageId.slice(code.packageId.lastIndexOf(':') + 1);
    const label = `${code.label}-${digest.slice(0, 16)}`;
    return (await packChaincodeService({ label, address })).packageId;
  }

  /**
   * Runs the whole chaincode lifecycle for a definition, unless it is the one in force, and waits until every
   * organisation's peer can be asked.
   */
  async defineChaincode(channel: string, deployment: ChaincodeDeployment): Promise<void> {
    const config = this.#channels.get(channel);
    if (!config) throw new NetworkError('CHANNEL_UNKNOWN', `There is no channel ${channel}.`);
    const [first] = Object.keys(deployment.organizations);
    const committed = first === undefined ? [] : await committedDefinitions(this.#cli, first, channel);
    if (committed.some(({ name, sequence }) => name === deployment.name && sequence === deployment.sequence))
      return this.connectChaincode(channel, deployment);
    await defineChaincode(this.#cli, config, deployment);
    await this.untilCallable(channel, deployment);
  }

  /**
   * Takes up a committed chaincode whose processes run again. Where a process listens elsewhere than before, its
   * organisation installs and approves the package that says so; the definition stays the same.
   */
  async connectChaincode(channel: string, deployment: ChaincodeDeployment): Promise<void> {
    const members = Object.entries(deployment.organizations);
    await Promise.all(members.map(([mspId]) => installApproved(this.#cli, mspId, channel, deployment)));
    await this.untilCallable(channel, deployment);
  }

  /** The orderer that leads a channel; undefined while there is none. */
  async leader(channel: string): Promise<string | undefined> {
    const { tls } = this.#cli.paths.orderers.user(ADMIN);
    for (const node of this.plan.orderers) {
      const gauges = await gaugeByChannel(node.operationsPort, tls, ...LEADER_GAUGES).catch(() => undefined);
      if (gauges?.get(channel) === 1) return node.name;
    }
    return undefined;
  }

  /** What the nodes say of themselves. */
  async status(): Promise<EmbeddedStatus & { readonly fabric: FabricStatus }> {
    const { paths } = this.#cli;
    const peers = await Promise.all(
      this.plan.peers.map(async (node) => {
        const { tls } = paths.organization(node.mspId).user(ADMIN);
        const heights = await gaugeByChannel(node.operationsPort, tls, 'ledger_blockchain_height').catch(
          () => undefined,
        );
        return { mspId: node.mspId, name: node.name, address: `127.0.0.1:${node.port}`, heights };
      }),
    );
    const ordererTls = paths.orderers.user(ADMIN).tls;
    const orderers = await Promise.all(
      this.plan.orderers.map(({ operationsPort }) =>
        gaugeByChannel(operationsPort, ordererTls, ...BLOCK_GAUGES).catch(() => undefined),
      ),
    );
    const channels = await Promise.all(
      [...this.#channels.values()].map(async ({ name, members }) => {
        const joined = peers.filter((peer) => members.includes(peer.mspId) && peer.heights?.has(name));
        const asked = joined[0]?.mspId;
        const definitions = asked === undefined ? [] : await committedDefinitions(this.#cli, asked, name);
        return {
          name,
          members,
          heights: Object.fromEntries(joined.map((peer) => [peer.mspId, peer.heights?.get(name) ?? 0])),
          ordererHeight: Math.max(0, ...orderers.map((blocks) => (blocks?.get(name) ?? -1) + 1)),
          chaincodes: await Promise.all(
            definitions.map(async (definition) => ({
              ...definition,
              connections: await this.connections(
                name,
                definition.name,
                joined.map((peer) => peer.mspId),
              ),
            })),
          ),
        };
      }),
    );
    return {
      peers: peers.map(({ mspId, name, address }) => ({ mspId, name, address })),
      channels,
      fabric: this.fabricStatus(),
    };
  }

  /** Stops one orderer or peer by its name; the network goes on without it. */
  async stopNode(name: string): Promise<void> {
    await this.#nodes.stop(name);
  }

  /** Starts an orderer or peer that was stopped. */
  async startNode(name: string): Promise<void> {
    const orderer = this.plan.orderers.find((node) => node.name === name);
    const peer = this.plan.peers.find((node) => node.name === name);
    if (orderer) await this.#nodes.startOrderer(orderer);
    else if (peer) await this.#nodes.startPeer(peer);
    else throw new NetworkError('NODE_FAILED', `There is no node ${name}.`);
  }

  /** Stops every node; their ledgers stay. */
  async close(): Promise<void> {
    await this.#nodes.stopAll();
  }

  private fabricStatus(): FabricStatus {
    const describe = (kind: 'orderer' | 'peer', node: PeerNode) => ({
      kind,
      name: node.name,
      mspId: node.mspId,
      address: `127.0.0.1:${node.port}`,
      operations: `127.0.0.1:${node.operationsPort}`,
      ...this.#nodes.status(node.name),
    });
    return {
      version: this.fabric.version,
      consensus: this.plan.consensus,
      nodes: [
        ...this.plan.orderers.map((node) => describe('orderer', node)),
        ...this.plan.peers.map((node) => describe('peer', node)),
      ],
    };
  }

  private async startNodes(onProgress: (sentence: string) => void): Promise<void> {
    const { orderers, peers } = this.plan;
    onProgress(`Starting ${orderers.length + peers.length} nodes of Fabric ${this.fabric.version}`);
    await Promise.all([
      ...orderers.map((node) => this.#nodes.startOrderer(node)),
      ...peers.map((node) => this.#nodes.startPeer(node)),
    ]);
  }

  /** Waits until the peers know of each other that they run the chaincode: only then a gateway can ask them. */
  private async untilCallable(channel: string, deployment: ChaincodeDeployment): Promise<void> {
    const wanted = Object.keys(deployment.organizations);
    await until(`every peer of ${channel} knows who runs ${deployment.name}`, async () => {
      const known = await Promise.all(wanted.map((mspId) => this.endorsers(mspId, channel, deployment.name)));
      return known.every((found) => wanted.every((mspId) => found.includes(mspId)));
    });
  }

  private async endorsers(mspId: string, channel: string, chaincode: string): Promise<string[]> {
    const asker = {
      mspId,
      identity: this.#cli.paths.organization(mspId).user(ADMIN),
      tlsCa: this.#cli.paths.peer(mspId).tls.ca,
    };
    return endorsingOrganizations(`localhost:${this.#cli.peerOf(mspId).port}`, asker, channel, chaincode);
  }

  private async connections(
    channel: string,
    chaincode: string,
    mspIds: readonly string[],
  ): Promise<Record<string, { ready: boolean; reason?: string }>> {
    const known = await Promise.all(
      mspIds.map((mspId) => this.endorsers(mspId, channel, chaincode).catch(() => [] as string[])),
    );
    return Object.fromEntries(
      mspIds.map((mspId, index) => [
        mspId,
        known[index]?.includes(mspId) === true
          ? { ready: true }
          : { ready: false, reason: 'its peer has not installed and committed the chaincode' },
      ]),
    );
  }
}

/** Asks again and again until the answer is yes: Fabric's nodes tell of none of this by themselves. */
async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + READY_DEADLINE_MS;
  while (!(await condition())) {
    if (performance.now() > end)
      throw new NetworkError(
        'NODE_FAILED',
        `After ${READY_DEADLINE_MS / 1000} seconds it is not yet so that ${what}.`,
      );
    await delay(50);
  }
}
