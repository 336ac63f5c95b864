import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { FabricStatus } from '../daemon/protocol.js';
import { SupervisedProcess } from '../daemon/supervisedProcess.js';
import { writeServiceBuilder } from './builder.js';
import type { FabricCli } from './cli.js';
import { fabricEnvironment } from './command.js';
import { ordererConfig } from './orderer-config.js';
import { peerConfig } from './peer-config.js';
import { ordererPaths, type OrdererNode, type PeerNode } from './plan.js';

/** Ends a node together with the daemon; see daemon/leash.ts. */
const LEASH = join(__dirname, '..', '..', 'dist', 'daemon', 'leash.js');

/** The orderers and peers of a native network as processes on this machine. */
export class Nodes {
  readonly #processes = new Map<string, SupervisedProcess>();

  constructor(private readonly cli: FabricCli) {}

  /** Starts every orderer and peer of the plan. */
  async startAll(): Promise<void> {
    const { orderers, peers } = this.cli.plan;
    await Promise.all([
      ...orderers.map((node) => this.startOrderer(node)),
      ...peers.map((node) => this.startPeer(node)),
    ]);
  }

  /** Writes an orderer's configuration and starts it; resolves once it listens. */
  async startOrderer(node: OrdererNode): Promise<void> {
    const paths = this.cli.paths;
    const folder = paths.node(node.name);
    const content = ordererConfig({
      node,
      paths: ordererPaths(this.cli.config, node),
      data: join(folder, 'data'),
      listenAddress: this.cli.config.listenAddress,
      timeWindowSeconds: this.cli.config.timeWindowSeconds,
      fabric: this.cli.fabric,
    });
    this.write(folder, 'orderer.yaml', content);
    await this.start('orderer', node, [this.cli.fabric.programs.orderer, 'start'], folder);
  }

  /** Writes a peer's configuration and starts it; resolves once it listens. */
  async startPeer(node: PeerNode): Promise<void> {
    const paths = this.cli.paths;
    const folder = paths.node(node.name);
    const content = peerConfig({
      node,
      paths: paths.peer(node),
      others: this.cli.peersOf(node.mspId).filter((other) => other !== node),
      listenAddress: this.cli.config.listenAddress,
      data: join(folder, 'data'),
      builder: writeServiceBuilder(paths.builder),
      timeWindowSeconds: this.cli.config.timeWindowSeconds,
      clientAuthRequired: this.cli.config.mutualTls,
      fabric: this.cli.fabric,
    });
    this.write(folder, 'core.yaml', content);
    await this.start('peer', node, [this.cli.fabric.programs.peer, 'node', 'start'], folder);
  }

  /** Stops one node; its data stay. */
  async stop(name: string): Promise<void> {
    await this.#processes.get(name)?.stop();
    this.#processes.delete(name);
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#processes.keys()].map((name) => this.stop(name)));
  }

  /** What became of a node's process. */
  status(name: string): Pick<FabricStatus['nodes'][number], 'state' | 'pid' | 'restarts' | 'log'> {
    const process = this.#processes.get(name);
    return {
      state: process?.state ?? 'stopped',
      ...(process?.identity && { pid: process.identity.pid }),
      restarts: process?.restarts ?? 0,
      log: this.cli.paths.log(name),
    };
  }

  private write(folder: string, file: string, content: unknown): void {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, file), stringify(content), { mode: 0o600 });
  }

  private async start(
    kind: 'orderer' | 'peer',
    node: { readonly name: string; readonly port: number },
    argv: readonly string[],
    folder: string,
  ): Promise<void> {
    const running = new SupervisedProcess(
      {
        title: `The ${kind} ${node.name}`,
        failure: 'NODE_FAILED',
        gentle: true,
        argv: [process.execPath, LEASH, ...argv],
        cwd: folder,
        env: fabricEnvironment({ FABRIC_CFG_PATH: folder }),
        port: node.port,
        log: this.cli.paths.log(node.name),
      },
      () => undefined,
    );
    this.#processes.set(node.name, running);
    try {
      await running.start();
    } catch (error) {
      this.#processes.delete(node.name);
      throw error;
    }
  }
}
