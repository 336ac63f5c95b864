import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { ChaincodeProcess } from './chaincodeProcess.js';
import { writeJson } from './files.js';
import type { Layout } from './layout.js';
import { findPort } from './ports.js';
import { processIdentitySchema } from './processes.js';
import type { Deployment, DaemonStatus } from './protocol.js';

/** The record of running chaincode processes, for a cleanup after the daemon was killed. */
export const processRecordSchema = z.array(processIdentitySchema);

/**
 * The chaincode processes of a network, one for each organisation and package: a package deployed to two channels runs
 * once, as on a real peer.
 */
export class ProcessPool {
  readonly #processes = new Map<string, { process: ChaincodeProcess; packageId: string }>();
  readonly #started = new Map<string, Promise<string>>();
  readonly #ports: Set<number>;
  #allocation: Promise<unknown> = Promise.resolve();

  /** Processes take the first free ports from `firstPort` on, past the `reserved` ones. */
  constructor(
    private readonly files: Layout,
    private readonly firstPort: number,
    reserved: Iterable<number>,
  ) {
    this.#ports = new Set(reserved);
  }

  /**
   * Makes sure that an organisation's process of a deployment runs, and returns its `host:port`; two that ask at the
   * same time share one process.
   * @throws NetworkError CHAINCODE_START_FAILED
   */
  ensure(mspId: string, deployment: Deployment): Promise<string> {
    const key = poolKey(mspId, deployment);
    const started = this.#started.get(key) ?? this.launch(key, mspId, deployment);
    this.#started.set(key, started);
    return started;
  }

  private async launch(key: string, mspId: string, deployment: Deployment): Promise<string> {
    const { label, packageId, cwd } = deployment;
    const port = await this.allocatePort();
    const listen = `127.0.0.1:${port}`;
    const process = new ChaincodeProcess(
      {
        mspId,
        label,
        argv: fillIn(deployment.argv, listen, packageId),
        cwd,
        env: environment(mspId, deployment, port),
        port,
        log: join(this.files.logs, `${label}-${mspId}.log`),
      },
      () => this.record(),
    );
    this.#processes.set(key, { process, packageId });
    try {
      await process.start();
    } catch (error) {
      this.forget(key, port);
      throw error;
    }
    return listen;
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
    return [...this.#processes.values()].map(({ process, packageId }) => ({
      mspId: process.command.mspId,
      label: process.command.label,
      packageId,
      state: process.state,
      ...(process.identity ? { pid: process.identity.pid } : {}),
      address: address(process),
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
  private async allocatePort(): Promise<number> {
    const allocated = this.#allocation.then(async () => {
      const port = await findPort(this.firstPort, this.#ports);
      this.#ports.add(port);
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

function address(process: ChaincodeProcess): string {
  return `127.0.0.1:${process.command.port}`;
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

function environment(mspId: string, { packageId, env }: Deployment, port: number): Record<string, string> {
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
