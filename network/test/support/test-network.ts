import { type ChildProcess, spawn } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { connect, type ConnectOptions, type Gateway, hash, signers } from '@hyperledger/fabric-gateway';
import { CertificateAuthority, type NodeRole, type Validity } from '../../src/certificates/index.js';
import { type EmbeddedNetwork, startEmbedded } from '../../src/embedded.js';
import {
  type ChannelOptions,
  type EmbeddedOptions,
  type KeyPair,
  type OrganizationOptions,
} from '../../src/embedded-options.js';

/** An organisation of a test with its authorities, from which it issues what a test needs. */
export interface TestOrganization {
  readonly mspId: string;
  readonly authority: CertificateAuthority;
  readonly options: OrganizationOptions;
  issue(
    name: string,
    role: NodeRole,
    attributes?: Record<string, string>,
    validity?: Validity,
  ): Promise<KeyPair>;
}

function pair({ certificate, key }: { certificate: string; key: string }): KeyPair {
  return { certificate, privateKey: key };
}

export async function createOrganization(mspId: string, withPeer: boolean): Promise<TestOrganization> {
  const domain = `${mspId.replace(/MSP$/, '').toLowerCase()}.example`;
  const authority = await CertificateAuthority.create(`ca.${domain}`, domain);
  const tls = await CertificateAuthority.create(`tlsca.${domain}`, domain);
  const issue: TestOrganization['issue'] = async (name, role, attributes, validity) =>
    pair(await authority.issueIdentity(`${name}@${domain}`, role, attributes, validity));
  const options: OrganizationOptions = {
    mspId,
    rootCertificates: [authority.issued.certificate],
    tlsRootCertificates: [tls.issued.certificate],
    admin: await issue('Admin', 'admin'),
    ...(withPeer
      ? {
          peer: {
            name: `peer0.${domain}`,
            signing: await issue('peer0', 'peer'),
            tls: pair(await tls.issueTls(`peer0.${domain}`, [`peer0.${domain}`, 'localhost', '127.0.0.1'])),
            listenAddress: '127.0.0.1:0',
          },
        }
      : {}),
  };
  return { mspId, authority, options, issue };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

const shimCli = join(dirname(require.resolve('fabric-shim/package.json')), 'cli.js');
const chaincodeFolder = join(__dirname, '..', 'chaincode');

/** A real fabric-shim process that serves the test contract. */
export class TestChaincode {
  #process: ChildProcess | undefined;

  private constructor(
    readonly packageId: string,
    readonly port: number,
  ) {}

  static async start(packageId: string): Promise<TestChaincode> {
    const chaincode = new TestChaincode(packageId, await freePort());
    chaincode.run();
    return chaincode;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  run(): void {
    const args = [shimCli, 'server', '--chaincode-address', this.address, '--chaincode-id', this.packageId];
    this.#process = spawn(process.execPath, [...args, '--module-path', chaincodeFolder], {
      cwd: chaincodeFolder,
      env: { ...process.env, CORE_CHAINCODE_LOGGING_LEVEL: 'ERROR' },
      stdio: process.env.TEST_CHAINCODE_OUTPUT ? 'inherit' : 'ignore',
    });
  }

  /** Resolves when the process has ended, by itself or because of `stop`. */
  async ended(): Promise<void> {
    const child = this.#process;
    if (child && child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }

  async stop(): Promise<void> {
    this.#process?.kill('SIGKILL');
    await this.ended();
  }
}

/** An embedded network with its organisations, chaincode processes and clients; all of it ends with `close`. */
export class TestNetwork {
  readonly dir = mkdtempSync(join(tmpdir(), 'embedded-'));
  readonly log: string[] = [];
  readonly chaincodes = new Map<string, TestChaincode>();
  readonly #clients: (() => void)[] = [];
  network!: EmbeddedNetwork;

  private constructor(
    readonly organizations: ReadonlyMap<string, TestOrganization>,
    private readonly options: Omit<EmbeddedOptions, 'dir' | 'log'>,
  ) {}

  static async start(setup: {
    peers: readonly string[];
    peerless?: readonly string[];
    channels: readonly ChannelOptions[];
    executeTimeoutMs?: number;
    revise?: (organization: TestOrganization) => Promise<OrganizationOptions>;
  }): Promise<TestNetwork> {
    const organizations = new Map<string, TestOrganization>();
    for (const mspId of setup.peers) organizations.set(mspId, await createOrganization(mspId, true));
    for (const mspId of setup.peerless ?? [])
      organizations.set(mspId, await createOrganization(mspId, false));
    const orderer = await createOrganization('OrdererMSP', false);
    const options: OrganizationOptions[] = [];
    for (const organization of organizations.values()) {
      options.push((await setup.revise?.(organization)) ?? organization.options);
    }
    const test = new TestNetwork(organizations, {
      organizations: options,
      orderer: {
        mspId: 'OrdererMSP',
        rootCertificates: orderer.options.rootCertificates,
        signing: await orderer.issue('orderer', 'orderer'),
      },
      channels: setup.channels.map((channel) => ({ batch: { timeoutMs: 20 }, ...channel })),
      ...(setup.executeTimeoutMs === undefined ? {} : { executeTimeoutMs: setup.executeTimeoutMs }),
    });
    await test.open();
    return test;
  }

  async open(): Promise<void> {
    this.network = await startEmbedded({
      ...this.options,
      dir: this.dir,
      log: (message) => void this.log.push(message),
    });
  }

  organization(mspId: string): TestOrganization {
    const organization = this.organizations.get(mspId);
    if (!organization) throw new Error(`no organisation ${mspId}`);
    return organization;
  }

  /** Starts one process for each organisation and commits the definition. */
  async deploy(
    channel: string,
    name: string,
    mspIds: readonly string[],
    definition: { sequence?: number; endorsementPolicy?: string } = {},
  ): Promise<void> {
    const organizations: Record<string, { address: string; packageId: string }> = {};
    for (const mspId of mspIds) {
      const packageId = `${name}_${mspId}:1`;
      const process = this.chaincodes.get(packageId) ?? (await TestChaincode.start(packageId));
      this.chaincodes.set(packageId, process);
      organizations[mspId] = { address: process.address, packageId };
    }
    await this.network.defineChaincode(channel, {
      name,
      version: '1.0',
      sequence: 1,
      organizations,
      ...definition,
    });
  }

  chaincode(name: string, mspId: string): TestChaincode {
    const chaincode = this.chaincodes.get(`${name}_${mspId}:1`);
    if (!chaincode) throw new Error(`no process of ${name} for ${mspId}`);
    return chaincode;
  }

  grpcClient(peerMspId: string): grpc.Client {
    const roots = this.organization(peerMspId).options.tlsRootCertificates.join('\n');
    const client = new grpc.Client(
      this.network.peerAddress(peerMspId),
      grpc.credentials.createSsl(Buffer.from(roots)),
      { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 },
    );
    this.#clients.push(() => client.close());
    return client;
  }

  /** The real client with an identity of one organisation, connected to a peer of the same or another one. */
  async connect(
    mspId: string,
    settings: { via?: string; identity?: KeyPair; options?: Partial<ConnectOptions> } = {},
  ): Promise<Gateway> {
    const identity =
      settings.identity ??
      (await this.organization(mspId).issue('User1', 'client', { 'strokeshare.role': 'researcher' }));
    const gateway = connect({
      client: this.grpcClient(settings.via ?? mspId),
      identity: { mspId, credentials: Buffer.from(identity.certificate) },
      signer: signers.newPrivateKeySigner(createPrivateKey(identity.privateKey)),
      hash: hash.sha256,
      ...settings.options,
    });
    this.#clients.push(() => gateway.close());
    return gateway;
  }

  /** Stops the network and opens it again on the same ledgers. */
  async restart(): Promise<void> {
    await this.network.close();
    await this.open();
  }

  async close(): Promise<void> {
    for (const close of this.#clients) close();
    await this.network.close();
    await Promise.all([...this.chaincodes.values()].map((chaincode) => chaincode.stop()));
    rmSync(this.dir, { recursive: true, force: true });
  }
}
