import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { readJson, writeJson } from './files.js';
import type { Layout } from './layout.js';
import type { ServiceIdentity } from './ledger.js';
import { findPort, isPortFree } from './ports.js';
import { processIdentitySchema } from './processes.js';
import type { Deployment, DaemonStatus } from './protocol.js';
import { SupervisedProcess } from './supervisedProcess.js';

/** The record of running chaincode processes, for a cleanup after the daemon was killed. */
export const processRecordSchema = z.array(processIdentitySchema);

/** Ports by process, kept from one start to the next. */
const portRecordSchema = z.record(z.string(), z.int());

/** Where an organisation's chaincode process listens, and the package id that it registers with. */
export interface Endpoint {
  address: string;
  packageId: string;
}

/**
 * The chaincode processes of a network, one for each organisation and package: a package deployed to two channels runs
 * once, as on a real peer.
 */
export class ProcessPool {
  readonly #processes = new Map<string, PooledProcess>();
  readonly #started = new Map<string, Promise<Endpoint>>();
  readonly #ports: Set<number>;
  #allocation: Promise<unknown> = Promise.resolve();

  /**
   * Processes take the port that they had before, or the first free one from `firstPort` on, past the `reserved` ones.
   * `identify` says as what an organisation's process runs that will listen at an address.
   */
  constructor(
    private readonly files: Layout,
    private readonly firstPort: number,
    reserved: Iterable<number>,
    private readonly identify: (
      deployment: Deployment,
      mspId: string,
      address: string,
    ) => Promise<ServiceIdentity>,
  ) {
    this.#ports = new Set(reserved);
  }

  /**
   * Makes sure that an organisation's process of a deployment runs, and returns where; two that ask at the same time
   * share one process.
   * @throws NetworkError CHAINCODE_START_FAILED
   */
  ensure(mspId: string, deployment: Deployment): Promise<Endpoint> {
    const key = poolKey(mspId, deployment);
    const started = this.#started.get(key) ?? this.launch(key, mspId, deployment);
    this.#started.set(key, started);
    return started;
  }

  private async launch(key: string, mspId: string, deployment: Deployment): Promise<Endpoint> {
    const { label, cwd } = deployment;
    const port = await this.allocatePort(key);
    const address = `127.0.0.1:${port}`;
    const { packageId, env } = await this.identify(deployment, mspId, address);
    const process = new SupervisedProcess(
      {
        title: `The chaincode ${label} of ${mspId}`,
        failure: 'CHAINCODE_START_FAILED',
        argv: fillIn(deployment.argv, address, packageId),
        cwd,
        env: environment(mspId, packageId, { ...env, ...deployment.env }, port),
        port,
        log: join(this.files.logs, `${label}-${mspId}.log`),
      },
      () => this.record(),
    );
    this.#processes.set(key, { mspId, label, address, packageId, process });
    try {
      await process.start();
    } catch (error) {
      this.forget(key, port);
      throw error;
    }
    return { address, packageId };
  }

  /** Stops every process that none of these deployments needs. */
  async retain(deployments: readonly Deployment[]): Promise<void> {
    const needed = new Set(deployments.flatMap((d) => d.organizations.map((mspId) => poolKey(mspId, d))));
    const idle = [...this.#processes].filter(([key]) => !needed.has(key));
    await Promise.all(
      idle.map(async ([key, { process }]) => {
        await process.stop();
        this.forget(key, process.command.port);
      }),
    );
    this.record();
  }

  status(): DaemonStatus['processes'] {
    return [...this.#processes.values()].map(({ process, ...named }) => ({
      ...named,
      state: process.state,
      ...(process.identity ? { pid: process.identity.pid } : {}),
      restarts: process.restarts,
      ...(process.lastExit === undefined ? {} : { lastExit: process.lastExit }),
      log: process.command.log,
    }));
  }

  private forget(key: string, port: number): void {
    this.#started.delete(key);
    this.#processes.delete(key);
    this.#ports.delete(port);
  }

  /** One after the other, so that two processes that start together do not find the same port. */
  private async allocatePort(key: string): Promise<number> {
    const allocated = this.#allocation.then(async () => {
      const known = readJson(this.files.ports, portRecordSchema) ?? {};
      const before = known[key];
      const again = before !== undefined && !this.#ports.has(before) && (await isPortFree(before));
      const port = again ? before : await findPort(this.firstPort, this.#ports);
      this.#ports.add(port);
      if (!again) writeJson(this.files.ports, { ...known, [key]: port });
      return port;
    });
    this.#allocation = allocated.catch(() => undefined);
    return allocated;
  }

  private record(): void {
    const identities = [...this.#processes.values()].flatMap(({ process }) => process.identity ?? []);
    writeJson(this.files.processes, identities satisfies z.infer<typeof processRecordSchema>);
  }
}

interface PooledProcess extends Endpoint {
  mspId: string;
  label: string;
  process: SupervisedProcess;
}

function poolKey(mspId: string, { packageId, argv, cwd, env }: Deployment): string {
  const start = createHash('sha256')
    .update(JSON.stringify([argv, cwd, env]))
    .digest('hex');
  return `${mspId} ${packageId} ${start}`;
}

/** `{address}` and `{id}` in a command line stand for what is known only when the process starts. */
function fillIn(argv: Deployment['argv'], listen: string, id: string): [string, ...string[]] {
  const fill = (word: string): string => word.replaceAll('{address}', listen).replaceAll('{id}', id);
  const [file, ...args] = argv;
  return [fill(file), ...args.map(fill)];
}

function environment(
  mspId: string,
  packageId: string,
  env: Deployment['env'],
  port: number,
): Record<string, string> {
  const inherited = Object.entries(process.env).filter(
    // fabric-shim takes every CORE_ variable for an option; a peer's settings in the user's shell are none.
    ([name, value]) => value !== undefined && !name.startsWith('CORE_') && name !== 'NODE_OPTIONS',
  ) as [string, string][];
  return {
    ...Object.fromEntries(inherited),
    CHAINCODE_SERVER_ADDRESS: `127.0.0.1:${port}`,
    CHAINCODE_ID: packageId,
    CORE_PEER_LOCALMSPID: mspId,
    ...env,
  };
}
