import { existsSync, rmSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import {
  issuePeerOrganization,
  peerOrganizationPaths,
  writeConnectionProfile,
} from '../certificates/index.js';
import {
  peerPorts,
  type ChannelConfig,
  type OrganizationConfig,
  type ResolvedConfig,
} from '../config/schema.js';
import { NetworkError } from '../errors.js';
import type { CertificateServers } from '../fabricCa/servers.js';
import { LedgerError } from '../ledger/ledger-error.js';
import { errorMessage } from '../protos/bytes.js';
import { channelOptions } from './embeddedConfig.js';
import { readJson, writeJson } from './files.js';
import { layout, type Layout } from './layout.js';
import type { Ledger } from './ledger.js';
import { readMarker } from './marker.js';
import { ProcessPool, type Endpoint } from './processPool.js';
import {
  recordedDeploymentSchema,
  type DaemonStatus,
  type Deployment,
  type RecordedDeployment,
} from './protocol.js';

/** Chaincode processes listen this far behind the base port, away from the peers' ports. */
const CHAINCODE_PORT_OFFSET = 100;

/** A ledger together with the chaincode processes that it calls. */
export class NetworkHost {
  #deployments: RecordedDeployment[] = [];
  /** Deployments under way, whose processes must not be taken for idle ones. */
  readonly #pending = new Set<Deployment>();
  readonly #startedAt = new Date().toISOString();

  private constructor(
    private config: ResolvedConfig,
    private readonly files: Layout,
    private readonly ledger: Ledger,
    private readonly pool: ProcessPool,
    private readonly authorities: CertificateServers | undefined,
  ) {}

  /**
   * Starts, beside an open ledger and running certificate authorities, the processes of every chaincode that was deployed
   * before.
   */
  static async start(
    config: ResolvedConfig,
    ledger: Ledger,
    authorities: CertificateServers | undefined,
    { log, progress }: { log: (message: string) => void; progress: (sentence: string) => void },
  ): Promise<NetworkHost> {
    const files = layout(config.dir);
    const ports = peerPorts(config).map(({ port }) => port);
    const host = new NetworkHost(
      config,
      files,
      ledger,
      new ProcessPool(
        files,
        config.basePort + CHAINCODE_PORT_OFFSET,
        ports,
        async (deployment, mspId, address) =>
          (await ledger.service?.(deployment, mspId, address)) ?? {
            packageId: deployment.packageId,
            env: {},
          },
      ),
      authorities,
    );
    try {
      await host.startAgain(log, progress);
    } catch (error) {
      await host.close();
      throw error;
    }
    return host;
  }

  /**
   * Starts one process of the chaincode for each organisation, then commits its definition on the channel. The
   * processes of the version before end only after that.
   */
  async deploy(deployment: Deployment, progress: (sentence: string) => void): Promise<RecordedDeployment> {
    this.checkMembers(deployment);
    this.#pending.add(deployment);
    try {
      return await this.commit(deployment, progress);
    } finally {
      this.#pending.delete(deployment);
      await this.pool.retain([...this.#deployments, ...this.#pending]);
    }
  }

  private async commit(
    deployment: Deployment,
    progress: (sentence: string) => void,
  ): Promise<RecordedDeployment> {
    const recorded = {
      ...deployment,
      sequence: deployment.sequence ?? (await this.nextSequence(deployment)),
    };
    progress(`Starting ${recorded.label} for ${recorded.organizations.join(', ')}`);
    const organizations = await this.startProcesses(recorded);
    const { name, version, sequence, channel } = recorded;
    progress(`Committing ${name} ${version} (sequence ${sequence}) on ${channel}`);
    await this.ledger.defineChaincode(channel, definition(recorded, organizations));
    this.#deployments = [...this.#deployments.filter((other) => !sameChaincode(other, recorded)), recorded];
    writeJson(this.files.deployments, this.#deployments);
    return recorded;
  }

  /** Adds a channel to the running network. */
  async createChannel(channel: ChannelConfig): Promise<void> {
    if (this.config.channels.some((other) => other.name === channel.name))
      throw new NetworkError('CHANNEL_EXISTS', `The channel ${channel.name} is there already.`);
    await this.ledger.createChannel(channelOptions(channel));
    this.adopt({ ...this.config, channels: [...this.config.channels, channel] });
  }

  /**
   * Changes organisations and channels to those of `config`. Chaincodes are then also run by the organisations that are
   * new on their channels, and no longer by those that left.
   * @throws NetworkError UNSUPPORTED where the ledger cannot do that while it runs
   */
  async reconfigure(config: ResolvedConfig, progress: (sentence: string) => void): Promise<void> {
    if (!this.ledger.reconfigure)
      throw new NetworkError(
        'UNSUPPORTED',
        'The embedded network cannot change its organisations while it runs: take it down and describe it anew, or use --backend native.',
      );
    for (const organization of config.organizations) {
      if (this.config.organizations.some(({ mspId }) => mspId === organization.mspId)) continue;
      await this.issue(config.dir, organization, progress);
      writeConnectionProfile(config, organization);
    }
    const before = this.config;
    await this.ledger.reconfigure(config, progress);
    this.adopt(config);
    for (const { mspId, domain } of before.organizations)
      if (!config.organizations.some((organization) => organization.mspId === mspId))
        await this.authorities?.stop(domain);
    for (const deployment of this.#deployments) {
      const organizations = runnersOf(deployment, before, config);
      if (isDeepStrictEqual(organizations, deployment.organizations)) continue;
      progress(`Running ${deployment.name} on ${deployment.channel} for ${organizations.join(', ')}`);
      const changed = { ...deployment, organizations };
      await this.ledger.connectChaincode(
        changed.channel,
        definition(changed, await this.startProcesses(changed)),
      );
      this.#deployments = this.#deployments.map((other) => (other === deployment ? changed : other));
      writeJson(this.files.deployments, this.#deployments);
    }
    await this.pool.retain([...this.#deployments, ...this.#pending]);
  }

  /** Makes the identities of a new organisation; one that comes back has them. */
  private async issue(
    dir: string,
    organization: OrganizationConfig,
    progress: (sentence: string) => void,
  ): Promise<void> {
    const { domain } = organization;
    const paths = peerOrganizationPaths(dir, domain);
    if (existsSync(paths.caCertificate)) {
      await this.authorities?.start(domain, paths);
      return;
    }
    progress(`Issuing certificates for ${domain}`);
    try {
      await issuePeerOrganization(dir, organization, this.authorities?.findSigner);
    } catch (error) {
      // Half of the identities would be taken for all of them when it is tried again.
      await this.authorities?.forget(domain);
      rmSync(paths.dir, { recursive: true, force: true });
      throw error;
    }
  }

  private adopt(config: ResolvedConfig): void {
    this.config = config;
    const marker = readMarker(config.dir);
    if (marker) writeJson(this.files.marker, { ...marker, config });
  }

  async status(verify = false): Promise<DaemonStatus> {
    if (verify) {
      await this.ledger.verify?.().catch((error: unknown) => {
        if (!(error instanceof LedgerError)) throw error;
      });
    }
    const ledger = await this.ledger.status();
    const { peers, channels } = ledger;
    return {
      pid: process.pid,
      startedAt: this.#startedAt,
      peers: [...peers],
      channels: channels.map(({ name, members, heights, chaincodes, damage }) => ({
        name,
        members: [...members],
        heights: { ...heights },
        ...(damage && { damage }),
        chaincodes: chaincodes.map((chaincode) => ({
          ...chaincode,
          connections: { ...chaincode.connections },
        })),
      })),
      processes: this.pool.status(),
      ...('fabric' in ledger && { fabric: ledger.fabric }),
      ...(this.authorities && { authorities: this.authorities.status() }),
    };
  }

  /** Stops the chaincode processes and the authorities, and closes the ledgers. */
  async close(): Promise<void> {
    await this.ledger.close();
    await this.pool.retain([]);
    await this.authorities?.close();
    rmSync(this.files.processes, { force: true });
  }

  private async startAgain(
    log: (message: string) => void,
    progress: (sentence: string) => void,
  ): Promise<void> {
    this.#deployments = readJson(this.files.deployments, z.array(recordedDeploymentSchema)) ?? [];
    const connecting = this.#deployments.map(async (deployment) => {
      const { name, channel } = deployment;
      progress(`Starting the chaincode ${name} on ${channel}`);
      try {
        const organizations = await this.startProcesses(deployment);
        await this.ledger.connectChaincode(channel, definition(deployment, organizations));
      } catch (error) {
        // One broken chaincode must not keep the ledger closed; status and log show it.
        log(`${name} on ${channel}: ${errorMessage(error)}`);
      }
    });
    await Promise.all(connecting);
  }

  private async startProcesses(deployment: RecordedDeployment): Promise<Record<string, Endpoint>> {
    const started = await Promise.all(
      deployment.organizations.map(async (mspId): Promise<[string, Endpoint]> => [
        mspId,
        await this.pool.ensure(mspId, deployment),
      ]),
    );
    return Object.fromEntries(started);
  }

  private checkMembers({ channel: name, organizations }: Deployment): void {
    const channel = this.config.channels.find((candidate) => candidate.name === name);
    if (!channel) {
      const known = this.config.channels.map((candidate) => candidate.name).join(', ');
      throw new NetworkError(
        'CHANNEL_UNKNOWN',
        `There is no channel ${name}; this network has ${known || 'none'}.`,
      );
    }
    for (const mspId of organizations) {
      const organization = this.config.organizations.find((candidate) => candidate.mspId === mspId);
      if (!organization?.peer || !channel.members.includes(mspId))
        throw new NetworkError('ORGANIZATION_UNKNOWN', `${mspId} has no peer on the channel ${name}.`);
    }
  }

  private async nextSequence({ channel, name }: Deployment): Promise<number> {
    const { channels } = await this.ledger.status();
    const committed = channels
      .find((candidate) => candidate.name === channel)
      ?.chaincodes.find((candidate) => candidate.name === name);
    return (committed?.sequence ?? 0) + 1;
  }
}

function definition(deployment: RecordedDeployment, organizations: Record<string, Endpoint>) {
  const { name, version, sequence, endorsement } = deployment;
  return {
    name,
    version,
    sequence,
    ...(endorsement === undefined ? {} : { endorsementPolicy: endorsement }),
    organizations,
  };
}

/** Who runs a chaincode after a change: those who did and stayed, and whoever joined its channel with a peer. */
function runnersOf(
  { channel, organizations }: Deployment,
  before: ResolvedConfig,
  after: ResolvedConfig,
): string[] {
  const membersOf = (config: ResolvedConfig): string[] =>
    config.channels.find(({ name }) => name === channel)?.members ?? [];
  const members = membersOf(after);
  const joined = members.filter(
    (mspId) =>
      !membersOf(before).includes(mspId) && after.organizations.some((o) => o.mspId === mspId && o.peer),
  );
  return [...organizations.filter((mspId) => members.includes(mspId)), ...joined];
}

function sameChaincode(a: Deployment, b: Deployment): boolean {
  return a.channel === b.channel && a.name === b.name;
}
