import { join } from 'node:path';
import { ADMIN } from '../certificates/index.js';
import type { ResolvedConfig } from '../config/index.js';
import { NetworkError } from '../errors.js';
import { AdministratorCli, type Administrator } from './administrator.js';
import { isListening } from '../daemon/ports.js';
import type { FabricBinaries } from './binaries.js';
import { runCommand } from './command.js';
import { nativePaths, type NativePaths, type NativePlan, type OrdererNode, type PeerNode } from './plan.js';

/** The administrators of every organisation of a network on this machine, and what they administer. */
export class FabricCli {
  readonly #administrators = new Map<string, AdministratorCli>();
  #orderer: OrdererNode | undefined;

  constructor(
    public config: ResolvedConfig,
    public plan: NativePlan,
    readonly fabric: FabricBinaries,
  ) {}

  get paths(): NativePaths {
    return nativePaths(this.config);
  }

  /** The first peer of an organisation. */
  peerOf(mspId: string): PeerNode {
    const [node] = this.peersOf(mspId);
    if (!node) throw new NetworkError('ORGANIZATION_UNKNOWN', `${mspId} runs no peer.`);
    return node;
  }

  /** All peers of an organisation. */
  peersOf(mspId: string): PeerNode[] {
    return this.plan.peers.filter((peer) => peer.mspId === mspId);
  }

  /** Has administrators turn to an orderer that answers, from now on. */
  async chooseOrderer(): Promise<void> {
    const current = this.#orderer ?? this.plan.orderers[0];
    for (const node of [...(current ? [current] : []), ...this.plan.orderers]) {
      if (!(await isListening(node.port))) continue;
      if (node.port !== current?.port) this.#administrators.clear();
      this.#orderer = node;
      return;
    }
    throw new NetworkError('NODE_FAILED', 'No orderer of this network answers.');
  }

  /** The administrator of an organisation, at its first peer. */
  as(mspId: string): AdministratorCli {
    return this.administrator(mspId, join(this.paths.administration, mspId), this.peersOf(mspId)[0]);
  }

  /** The administrators of those organisations that run a peer. */
  withPeers(mspIds: readonly string[]): AdministratorCli[] {
    return mspIds.filter((mspId) => this.peersOf(mspId).length > 0).map((mspId) => this.as(mspId));
  }

  /** The administrator of an organisation, once for each of its peers. */
  atEveryPeer(mspId: string): AdministratorCli[] {
    return this.peersOf(mspId).map((node) => this.at(node));
  }

  /** The administrator of a peer's organisation, at that peer. */
  at(node: PeerNode): AdministratorCli {
    if (node.name === this.peersOf(node.mspId)[0]?.name) return this.as(node.mspId);
    return this.administrator(node.mspId, join(this.paths.administration, node.name), node);
  }

  private administrator(mspId: string, folder: string, peer: PeerNode | undefined): AdministratorCli {
    const known = this.#administrators.get(folder);
    if (known) return known;
    const described = localAdministrator(this.config, this.plan, mspId, { peer, orderer: this.#orderer });
    const made = new AdministratorCli(this.fabric.programs, described, folder);
    this.#administrators.set(folder, made);
    return made;
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

/** What the administrator of an organisation has at hand where the whole network is on one machine. */
export function localAdministrator(
  config: ResolvedConfig,
  plan: NativePlan,
  mspId: string,
  {
    peer = plan.peers.find((node) => node.mspId === mspId),
    orderer = plan.orderers[0],
  }: { readonly peer?: PeerNode | undefined; readonly orderer?: OrdererNode | undefined } = {},
): Administrator {
  const paths = nativePaths(config);
  if (!orderer) throw new NetworkError('NODE_FAILED', 'This network has no orderer.');
  return {
    mspId,
    mspDir: paths.organization(mspId).user(ADMIN).msp.dir,
    ...(peer && {
      peer: { address: `localhost:${peer.port}`, tlsCa: paths.organization(mspId).tlsCaCertificate },
    }),
    ...(config.mutualTls && { tlsClient: paths.organization(mspId).user(ADMIN).tls }),
    orderer: { address: `localhost:${orderer.port}`, tlsCa: paths.orderers.tlsCaCertificate },
  };
}
