import { ADMIN } from '../certificates/index.js';
import type { ResolvedConfig } from '../config/index.js';
import { NetworkError } from '../errors.js';
import type { FabricBinaries } from './binaries.js';
import { runCommand } from './command.js';
import { nativePaths, type NativePaths, type NativePlan, type OrdererNode, type PeerNode } from './plan.js';

/** Fabric's command line programs, run as the administrator of one organisation or another. */
export class FabricCli {
  readonly paths: NativePaths;
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(
    readonly config: ResolvedConfig,
    readonly plan: NativePlan,
    readonly fabric: FabricBinaries,
  ) {
    this.paths = nativePaths(config);
  }

  /** Does something that must not be done twice at the same time; whoever asks meanwhile waits for the first. */
  async once(key: string, action: () => Promise<void>): Promise<void> {
    const started = this.#underWay.get(key) ?? action().finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, started);
    return started;
  }

  /** The peer of an organisation. */
  peerOf(mspId: string): PeerNode {
    const node = this.plan.peers.find((peer) => peer.mspId === mspId);
    if (!node) throw new NetworkError('ORGANIZATION_UNKNOWN', `${mspId} runs no peer.`);
    return node;
  }

  /** Runs `peer ...` against the organisation's own peer, as its administrator. */
  async peer(mspId: string, args: readonly string[], timeoutMs?: number): Promise<string> {
    const node = this.peerOf(mspId);
    const { stdout } = await runCommand({
      program: this.fabric.programs.peer,
      args,
      env: {
        FABRIC_CFG_PATH: this.paths.node(node.name),
        CORE_PEER_MSPCONFIGPATH: this.paths.organization(mspId).user(ADMIN).msp.dir,
      },
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    });
    return stdout;
  }

  /** Flags that name an orderer and its authority to the `peer` program. */
  ordererFlags(node: OrdererNode | undefined = this.plan.orderers[0]): string[] {
    if (!node) throw new NetworkError('NODE_FAILED', 'This network has no orderer.');
    return ['-o', `localhost:${node.port}`, '--tls', '--cafile', this.paths.orderers.tlsCaCertificate];
  }

  /** Flags that name the peers of several organisations to the `peer` program. */
  peerFlags(mspIds: readonly string[]): string[] {
    return mspIds.flatMap((mspId) => [
      '--peerAddresses',
      `localhost:${this.peerOf(mspId).port}`,
      '--tlsRootCertFiles',
      this.paths.peer(mspId).tls.ca,
    ]);
  }

  /** Runs `osnadmin ...` against the administration port of one orderer, by mutual TLS. */
  async osnadmin(node: OrdererNode, args: readonly string[]): Promise<string> {
    const { tls } = this.paths.orderers.user(ADMIN);
    const { stdout } = await runCommand({
      program: this.fabric.programs.osnadmin,
      args: [
        ...args,
        '--orderer-address',
        `localhost:${node.adminPort}`,
        '--ca-file',
        this.paths.orderers.tlsCaCertificate,
        '--client-cert',
        tls.certificate,
        '--client-key',
        tls.key,
      ],
    });
    return stdout;
  }
}
