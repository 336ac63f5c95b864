import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { callDaemon } from '../daemon/control.js';
import { layout } from '../daemon/layout.js';
import type { Deployment } from '../daemon/protocol.js';
import { NetworkError } from '../errors.js';
import { packCommand, packProject, type ChaincodePackage } from './chaincodePackage.js';
import { requireNetwork } from './directory.js';
import { checkRuntime } from './prerequisites.js';

/** A chaincode to deploy. Exactly one of `path` and `command` says how it runs. */
export interface DeployRequest {
  channel: string;
  name: string;
  version: string;
  /** Default: one more than the sequence committed last. */
  sequence?: number;
  /** The label of the package, e.g. `basic_1.0`. */
  label: string;
  /** Folder of a built Node chaincode: a package.json whose `main` exports `contracts`, and its dependencies. */
  path?: string;
  /**
   * Any program that serves the chaincode. `{address}` and `{id}` in its arguments, or CHAINCODE_SERVER_ADDRESS and
   * CHAINCODE_ID in its environment, say where and as what.
   */
  command?: readonly [string, ...string[]];
  /** Added to the environment of its processes. */
  env?: Readonly<Record<string, string>>;
  /** MSP ids of the organisations that run it. */
  organizations: readonly string[];
  /** Signature policy; default: the channel's endorsement policy. */
  endorsement?: string;
}

export interface DeployOptions {
  /** Hears what is being done, a sentence at a time. */
  onProgress?: (sentence: string) => void;
}

// Fabric's own rules (core/chaincode/persistence and the lifecycle's validation).
const requestSchema = z.object({
  name: z.string().regex(/^[a-zA-Z0-9]+([-_][a-zA-Z0-9]+)*$/, {
    error: 'a chaincode name is letters and digits, joined by "-" or "_"',
  }),
  version: z
    .string()
    .regex(/^[A-Za-z0-9_.+-]+$/, { error: 'a version is letters, digits, "_", ".", "+" and "-"' }),
  label: z
    .string()
    .regex(/^[A-Za-z0-9]([A-Za-z0-9.+_-])*$/, { error: 'a label is letters, digits, ".", "+", "_" and "-"' }),
});

const packageJsonSchema = z.object({ main: z.string() });

/**
 * Starts one process of a chaincode for each organisation and commits its definition; returns when it can be called.
 * Deploying a name again replaces the version before, whose processes end when the new ones are in force.
 * @throws NetworkError NOT_RUNNING, CHANNEL_UNKNOWN, ORGANIZATION_UNKNOWN, CHAINCODE_INVALID or CHAINCODE_START_FAILED
 */
export async function deployChaincode(
  dir: string,
  request: DeployRequest,
  options: DeployOptions = {},
): Promise<void> {
  checkRuntime();
  const { marker } = requireNetwork(dir);
  const files = layout(marker.config.dir);
  const checked = requestSchema.safeParse(request);
  if (!checked.success) throw invalid(`${checked.error.issues[0]?.message ?? 'the request is not valid'}.`);

  const { start, chaincode } = await prepare(request);
  mkdirSync(files.packages, { recursive: true, mode: 0o700 });
  writeFileSync(join(files.packages, `${chaincode.packageId.replace(':', '.')}.tar.gz`), chaincode.bytes);
  const deployment: Deployment = {
    channel: request.channel,
    name: request.name,
    version: request.version,
    ...(request.sequence === undefined ? {} : { sequence: request.sequence }),
    label: request.label,
    packageId: chaincode.packageId,
    ...start,
    env: { ...request.env },
    organizations: [...request.organizations],
    ...(request.endorsement === undefined ? {} : { endorsement: request.endorsement }),
  };
  await callDaemon(files.socket, { method: 'deploy', deployment }, options.onProgress);
}

interface Start {
  argv: [string, ...string[]];
  cwd: string;
  tls: boolean;
}

/** Ends a chaincode process together with the daemon; see daemon/leash.ts. */
const LEASH = join(__dirname, '..', '..', 'dist', 'daemon', 'leash.js');

async function prepare({
  path,
  command,
  label,
}: DeployRequest): Promise<{ start: Start; chaincode: ChaincodePackage }> {
  if (command !== undefined && path === undefined)
    return {
      start: { argv: [process.execPath, LEASH, ...command], cwd: process.cwd(), tls: false },
      chaincode: await packCommand(label, command),
    };
  if (path === undefined || command !== undefined)
    throw invalid('a chaincode needs either a path or a command.');
  const folder = resolve(path);
  const cli = checkProject(folder);
  return {
    start: {
      // Never through npx: ending npx would leave the chaincode behind.
      argv: [
        process.execPath,
        '--require',
        LEASH,
        cli,
        'server',
        '--chaincode-address',
        '{address}',
        '--chaincode-id',
        '{id}',
      ],
      cwd: folder,
      tls: true,
    },
    chaincode: await packProject(label, folder),
  };
}

/** Checks a built Node chaincode and returns the command line program of its fabric-shim. */
function checkProject(folder: string): string {
  const manifest = join(folder, 'package.json');
  if (!existsSync(manifest)) throw invalid(`${folder} has no package.json.`);
  const parsed = packageJsonSchema.safeParse(parseJson(manifest));
  if (!parsed.success) throw invalid(`${manifest} names no "main" module, which fabric-shim loads.`);
  const require = createRequire(manifest);
  try {
    require.resolve(join(folder, parsed.data.main));
  } catch (cause) {
    throw invalid(`${join(folder, parsed.data.main)} is missing; build the chaincode first.`, cause);
  }
  try {
    return join(dirname(require.resolve('fabric-shim/package.json')), 'cli.js');
  } catch (cause) {
    throw invalid(`fabric-shim is not installed in ${folder}; run "npm install" there.`, cause);
  }
}

function parseJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw invalid(`${path} is not JSON.`, cause);
  }
}

function invalid(sentence: string, cause?: unknown): NetworkError {
  return new NetworkError('CHAINCODE_INVALID', `The chaincode cannot be deployed: ${sentence}`, { cause });
}
