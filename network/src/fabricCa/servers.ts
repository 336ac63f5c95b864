import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  ordererDomain,
  ordererOrganizationPaths,
  peerOrganizationPaths,
  type FindSigner,
  type IdentitySigner,
  type OrganizationPaths,
} from '../certificates/index.js';
import { randomBytes } from 'node:crypto';
import type { ResolvedConfig } from '../config/index.js';
import { layout } from '../daemon/layout.js';
import { findPort, isPortFree } from '../daemon/ports.js';
import type { DaemonStatus } from '../daemon/protocol.js';
import { SupervisedProcess } from '../daemon/supervisedProcess.js';
import { fabricEnvironment } from '../native/command.js';
import { FabricCaClient } from './client.js';
import { caFolder, moveHome, readHome, REGISTRAR, writeHome, type CaHome } from './home.js';
import { requireCaServer } from './program.js';

/** Servers listen this far behind the first peer's port, clear of chaincode processes and native nodes. */
const PORT_OFFSET = 300;

/** Ends a server together with the program that started it; see daemon/leash.ts. */
const LEASH = join(__dirname, '..', '..', 'dist', 'daemon', 'leash.js');

/** Attributes that Fabric CA writes by itself. */
const OWN_ATTRIBUTES = new Set(['hf.Affiliation', 'hf.EnrollmentID', 'hf.Type']);

/** The `fabric-ca-server` of each organisation of a network, on the loopback interface of this machine. */
export class CertificateServers {
  readonly #running = new Map<string, { home: CaHome; process: SupervisedProcess }>();

  private constructor(
    private readonly config: ResolvedConfig,
    private readonly program: string,
  ) {}

  /**
   * The servers of a network, none of them started; undefined where it does without.
   * @throws NetworkError FABRIC_MISSING
   */
  static of(config: ResolvedConfig): CertificateServers | undefined {
    return config.fabricCa ? new CertificateServers(config, requireCaServer()) : undefined;
  }

  /** Starts the servers of all organisations whose authorities are there. */
  async startAll(): Promise<void> {
    const { config } = this;
    const orderer = ordererDomain(config);
    await this.start(orderer, ordererOrganizationPaths(config.dir, orderer));
    for (const { domain } of config.organizations)
      await this.start(domain, peerOrganizationPaths(config.dir, domain));
  }

  /** Has an organisation's server, started if need be, enrol its identities. */
  readonly findSigner: FindSigner = async (domain, paths): Promise<IdentitySigner> => {
    const { port, secret } = await this.start(domain, paths);
    const client = new FabricCaClient(port, readFileSync(paths.tlsCaCertificate, 'utf8'));
    const registrar = await client.enroll(REGISTRAR, secret, domain);
    return {
      issueIdentity: async (id, type, attributes = {}) => {
        const own = Object.entries(attributes).filter(([name]) => !OWN_ATTRIBUTES.has(name));
        const once = randomBytes(24).toString('base64url');
        await client.register(registrar, { id, secret: once, type, attributes: Object.fromEntries(own) });
        return client.enroll(id, once, domain);
      },
    };
  };

  status(): NonNullable<DaemonStatus['authorities']> {
    return [...this.#running].map(([domain, { home, process }]) => ({
      domain,
      url: `https://localhost:${home.port}`,
      state: process.state,
      ...(process.identity && { pid: process.identity.pid }),
      restarts: process.restarts,
      log: process.command.log,
    }));
  }

  /** Stops the server of one organisation; what it has issued and knows stays. */
  async stop(domain: string): Promise<void> {
    await this.#running.get(domain)?.process.stop();
    this.#running.delete(domain);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((domain) => this.stop(domain)));
  }

  /** Stops the server of one organisation and removes all that it knows. */
  async forget(domain: string): Promise<void> {
    await this.stop(domain);
    rmSync(caFolder(this.config.dir, domain), { recursive: true, force: true });
  }

  /**
   * Starts an organisation's server, unless it runs, and returns where it is kept.
   * @throws NetworkError NODE_FAILED
   */
  async start(domain: string, paths: OrganizationPaths): Promise<CaHome> {
    const known = this.#running.get(domain);
    if (known) return known.home;
    const home = await this.prepare(domain, paths);
    const process = new SupervisedProcess(
      {
        title: `The Fabric CA of ${domain}`,
        failure: 'NODE_FAILED',
        gentle: true,
        argv: [globalThis.process.execPath, LEASH, this.program, 'start', '--home', home.folder],
        cwd: home.folder,
        env: fabricEnvironment(),
        port: home.port,
        log: join(layout(this.config.dir).logs, `fabric-ca.${domain}.log`),
      },
      () => undefined,
    );
    await process.start();
    this.#running.set(domain, { home, process });
    return home;
  }

  private async prepare(domain: string, paths: OrganizationPaths): Promise<CaHome> {
    const folder = caFolder(this.config.dir, domain);
    const known = readHome(folder);
    if (known && (await isPortFree(known.port))) return known;
    const taken = new Set([...this.#running.values()].map(({ home }) => home.port));
    const port = await findPort(Math.min(this.config.basePort + PORT_OFFSET, 65_000), taken);
    // Nothing else remembers where it listens, so that it can give way to whatever took its port.
    return known ? moveHome(known, port) : writeHome(folder, domain, paths, port);
  }
}
