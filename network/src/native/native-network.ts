import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { ResolvedConfig } from '../config/index.js';
import { channelOptions } from '../daemon/embeddedConfig.js';
import { readJson, writeJson } from '../daemon/files.js';
import type { Ledger, ServiceIdentity } from '../daemon/ledger.js';
import type { Deployment, FabricStatus } from '../daemon/protocol.js';
import type { ChaincodeDeployment, ChannelOptions, EmbeddedStatus } from '../embedded-options.js';
import { NetworkError } from '../errors.js';
import type { AdministratorCli } from './administrator.js';
import { findFabric, type FabricBinaries } from './binaries.js';
import { packChaincodeService } from './chaincode-package.js';
import { chaincodeTls } from './chaincode-tls.js';
import { joinChannel } from './channels.js';
import { FabricCli } from './cli.js';
import {
  committedDefinitions,
  defineChaincode,
  installApproved,
  installPackage,
  keepPackage,
} from './lifecycle.js';
import { changeMembers } from './members.js';
import { Nodes } from './nodes.js';
import {
  checkPlannedPorts,
  nativePaths,
  organization,
  planNetwork,
  planPeers,
  planSchema,
  type NativePlan,
} from './plan.js';
import { leaderOf, untilCallable, untilOrdering } from './readiness.js';
import { networkStatus } from './status.js';

export interface NativeOptions {
  /** The network; its identity tree must have been issued. */
  readonly config: ResolvedConfig;
  /** Hears what is being done, a sentence at a time. */
  readonly onProgress?: (sentence: string) => void;
  /** Default: where PATH and FABRIC_BIN_DIR say. */
  readonly fabric?: FabricBinaries;
}

/** A network of real Fabric orderers and peers on the loopback interface of this machine. */
export class NativeNetwork implements Ledger {
  readonly #cli: FabricCli;
  readonly #nodes: Nodes;
  readonly #channels = new Map<string, ChannelOptions>();

  private constructor(cli: FabricCli) {
    this.#cli = cli;
    this.#nodes = new Nodes(cli);
  }

  /**
   * Starts every orderer and peer and makes the channels that are not there yet; where the network ran before, it goes
   * on with its ledgers.
   * @throws NetworkError FABRIC_MISSING, FABRIC_VERSION, NODE_FAILED or FABRIC_COMMAND_FAILED
   */
  static async start(options: NativeOptions): Promise<NativeNetwork> {
    const { config, onProgress = () => undefined } = options;
    const fabric = options.fabric ?? (await findFabric());
    if (config.consensus === 'bft' && !fabric.bft)
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
    await checkPlannedPorts(plan);
    const network = new NativeNetwork(new FabricCli(config, plan, fabric));
    try {
      onProgress(`Starting ${plan.orderers.length + plan.peers.length} nodes of Fabric ${fabric.version}`);
      if (!fabric.timeWindowCheck)
        onProgress(
          `Fabric ${fabric.version} has no TimeWindowCheck: its peers take proposals of any time; it came with Fabric 3`,
        );
      await network.#nodes.startAll();
      if (config.channels.length > 0)
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
      await untilOrdering(this.#cli, channel.name);
    } catch (error) {
      this.#channels.delete(channel.name);
      throw error;
    }
  }

  /**
   * Packs what an organisation's peer needs to call its chaincode process. The package says where that listens and
   * nothing of the code, so its label carries the code's digest.
   */
  async service(code: Deployment, mspId: string, address: string): Promise<ServiceIdentity> {
    const digest = code.packageId.slice(code.packageId.lastIndexOf(':') + 1);
    const label = `${code.label}-${digest.slice(0, 16)}`;
    const admin = this.#cli.as(mspId);
    const { domain } = organization(this.#cli.config, mspId);
    const tls = code.tls ? await chaincodeTls(admin, domain) : undefined;
    const packed = await packChaincodeService({ label, address, ...(tls && { tls: tls.client }) });
    for (const peerAdmin of this.#cli.atEveryPeer(mspId)) keepPackage(peerAdmin, packed);
    return { packageId: packed.packageId, env: tls?.env ?? {} };
  }

  /**
   * Runs the whole chaincode lifecycle for a definition, unless it is the one in force, and waits until every
   * organisation's peer can be asked.
   */
  async defineChaincode(channel: string, deployment: ChaincodeDeployment): Promise<void> {
    await this.#cli.chooseOrderer();
    const admins = this.administratorsWithPeers(channel);
    const committed = admins[0] ? await committedDefinitions(admins[0], channel) : [];
    if (committed.some(({ name, sequence }) => name === deployment.name && sequence === deployment.sequence))
      return this.connectChaincode(channel, deployment);
    await this.installAtFurtherPeers(deployment);
    await defineChaincode(admins, channel, deployment);
    await untilCallable(this.#cli, channel, deployment);
  }

  /**
   * Takes up a committed chaincode whose processes run again. Where a process listens elsewhere than before, or an
   * organisation runs it for the first time, that organisation installs and approves its package; the definition stays
   * the same.
   */
  async connectChaincode(channel: string, deployment: ChaincodeDeployment): Promise<void> {
    await this.#cli.chooseOrderer();
    const { organizations, ...definition } = deployment;
    await this.installAtFurtherPeers(deployment);
    await Promise.all(
      Object.entries(organizations).map(([mspId, { packageId }]) =>
        installApproved(this.#cli.as(mspId), channel, definition, packageId),
      ),
    );
    await untilCallable(this.#cli, channel, deployment);
  }

  /**
   * Changes who belongs to the running network: starts the peers of organisations that are new in `config`, has the
   * members change every channel whose members or policies differ, makes the new channels, and stops the peers of
   * organisations that are gone. Certificates of new organisations must have been issued.
   */
  async reconfigure(config: ResolvedConfig, onProgress: (sentence: string) => void): Promise<void> {
    const cli = this.#cli;
    await cli.chooseOrderer();
    const leaving = cli.config.organizations.filter(
      ({ mspId }) => !config.organizations.some((organization) => organization.mspId === mspId),
    );
    const before = { config: cli.config, peers: cli.plan.peers };
    cli.config = { ...config, organizations: [...config.organizations, ...leaving] };
    try {
      await this.startNewPeers(onProgress);
      await this.changeChannels(config, onProgress);
    } catch (error) {
      // What the members have agreed to stays; asking again goes on from there.
      await this.retirePeers(cli.plan.peers.filter((peer) => !before.peers.includes(peer)));
      cli.config = before.config;
      throw error;
    }
    await this.retirePeers(
      cli.plan.peers.filter((peer) => leaving.some(({ mspId }) => mspId === peer.mspId)),
    );
    cli.config = config;
  }

  /** The orderer that leads a channel; undefined while there is none. */
  async leader(channel: string): Promise<string | undefined> {
    return leaderOf(this.#cli, channel);
  }

  /** What the nodes say of themselves. */
  async status(): Promise<EmbeddedStatus & { readonly fabric: FabricStatus }> {
    return networkStatus(this.#cli, this.#nodes, [...this.#channels.values()]);
  }

  /** Stops every node; their ledgers stay. */
  async close(): Promise<void> {
    await this.#nodes.stopAll();
  }

  /** An organisation approves a package once; each of its peers has to have it. */
  private async installAtFurtherPeers({ organizations }: ChaincodeDeployment): Promise<void> {
    await Promise.all(
      Object.entries(organizations).flatMap(([mspId, { packageId }]) =>
        this.#cli
          .atEveryPeer(mspId)
          .slice(1)
          .map((admin) => installPackage(admin, packageId)),
      ),
    );
  }

  private async startNewPeers(onProgress: (sentence: string) => void): Promise<void> {
    const { config, plan } = this.#cli;
    const added = config.organizations.filter(
      ({ mspId, peer }) => peer && !plan.peers.some((node) => node.mspId === mspId),
    );
    for (const { mspId } of added) {
      onProgress(`Starting the peer of ${mspId}`);
      const nodes = await planPeers(config, this.#cli.plan, mspId);
      this.keepPeers([...this.#cli.plan.peers, ...nodes]);
      await Promise.all(nodes.map((node) => this.#nodes.startPeer(node)));
    }
  }

  private async changeChannels(
    config: ResolvedConfig,
    onProgress: (sentence: string) => void,
  ): Promise<void> {
    for (const channel of config.channels.map(channelOptions)) {
      const known = this.#channels.get(channel.name);
      if (isDeepStrictEqual(known, channel)) continue;
      onProgress(`${known ? 'Updating' : 'Creating'} the channel ${channel.name}`);
      if (known) await changeMembers(this.#cli, known, channel);
      else await this.createChannel(channel);
      this.#channels.set(channel.name, channel);
    }
    for (const name of this.#channels.keys())
      if (!config.channels.some((channel) => channel.name === name)) this.#channels.delete(name);
  }

  private async retirePeers(gone: NativePlan['peers']): Promise<void> {
    await Promise.all(gone.map(({ name }) => this.#nodes.stop(name)));
    this.keepPeers(this.#cli.plan.peers.filter((peer) => !gone.includes(peer)));
  }

  private keepPeers(peers: NativePlan['peers']): void {
    const cli = this.#cli;
    cli.plan = { ...cli.plan, peers };
    writeJson(cli.paths.plan, cli.plan);
  }

  private administratorsWithPeers(channel: string): AdministratorCli[] {
    const options = this.#channels.get(channel);
    if (!options) throw new NetworkError('CHANNEL_UNKNOWN', `There is no channel ${channel}.`);
    return this.#cli.withPeers(options.members);
  }
}
