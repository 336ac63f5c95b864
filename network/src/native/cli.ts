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

  /** The peer of an organisation. */
  peerOf(mspId: string): PeerNode {
    const node = this.plan.peers.find((peer) => peer.mspId === mspId);
    if (!node) throw new NetworkError('ORGANIZATION_UNKNOWN', `${mspId} runs no peer.`);
    return node;
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

  /** The administrator of an organisation. */
  as(mspId: string): AdministratorCli {
    const known = this.#administrators.get(mspId);
    if (known) return known;
    const folder = join(this.paths.administration, mspId);
    const made = new AdministratorCli(
      this.fabric.programs,
      localAdministrator(this.config, this.plan, mspId, this.#orderer),
      folder,
    );
    this.#administrators.set(mspId, made);
    return made;
  }

  /** The administrators of those organisations that run a peer. */
  withPeers(mspIds: readonly string[]): AdministratorCli[] {
    return this.plan.peers.filter(({ mspId }) => mspIds.includes(mspId)).map(({ mspId }) => this.as(mspId));
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
  orderer: OrdererNode | undefined = plan.orderers[0],
): Administrator {
  const paths = nativePaths(config);
  const peer = plan.peers.find((node) => node.mspId === mspId);
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
