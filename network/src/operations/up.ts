import { mkdirSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { issueNetwork } from '../certificates/index.js';
import {
  describeDifferences,
  parseConfig,
  type NetworkConfig,
  type ResolvedConfig,
} from '../config/index.js';
import { writeJson } from '../daemon/files.js';
import { layout } from '../daemon/layout.js';
import type { Marker } from '../daemon/marker.js';
import { isErrno } from '../daemon/processes.js';
import { NetworkError } from '../errors.js';
import { requireCaServer } from '../fabricCa/program.js';
import { CertificateServers } from '../fabricCa/servers.js';
import { findFabric } from '../native/binaries.js';
import {
  clearProcesses,
  inspectDirectory,
  removeContent,
  removeNetwork,
  reserve,
  startingSentence,
} from './directory.js';
import { networkInfo, type NetworkInfo } from './info.js';
import { checkPolicies, checkPorts, checkRuntime, checkSpace } from './prerequisites.js';
import { INTERRUPTED_SENTENCE, startDaemon, type StartOptions } from './startDaemon.js';

/**
 * Starts a network and returns once clients can connect. Where the same network was stopped or crashed before, it goes
 * on with its ledger, its identities and its chaincodes. Nothing is written before the ports have been found free.
 * @throws NetworkError CONFIG_INVALID, POLICY_INVALID, OLD_RUNTIME, ALREADY_RUNNING, CONFIG_CHANGED, DIRECTORY_IN_USE, PORT_IN_USE,
 * NO_SPACE, INTERRUPTED or DAEMON_FAILED; FABRIC_MISSING, FABRIC_VERSION or NODE_FAILED with the native backend
 */
export async function up(config: NetworkConfig, options: StartOptions = {}): Promise<NetworkInfo> {
  checkRuntime();
  const requested = parseConfig(config);
  const { dir } = requested;
  checkPolicies(requested);
  checkDirectory(requested);
  if (requested.backend === 'native') await findFabric();
  if (requested.fabricCa) requireCaServer();
  await checkPorts(requested);
  checkSpace(dir);
  const { madeDirectory, release } = attempt(dir, () => reserve(dir));
  try {
    // Only now nobody else can change what is there.
    const found = checkDirectory(requested, process.pid);
    if (found?.phase === 'ready') return await resume(found, dir, options);
    if (found) removeContent(dir);
    return await make(requested, madeDirectory ?? found?.madeDirectory, options);
  } catch (error) {
    throw withSentence(error, dir);
  } finally {
    release();
  }
}

async function resume(marker: Marker, dir: string, options: StartOptions): Promise<NetworkInfo> {
  clearProcesses(dir);
  try {
    await startDaemon(dir, options);
    return networkInfo(marker.config);
  } catch (error) {
    clearProcesses(dir);
    throw error;
  }
}

async function make(
  config: ResolvedConfig,
  madeDirectory: string | undefined,
  options: StartOptions,
): Promise<NetworkInfo> {
  const { dir } = config;
  const made = madeDirectory === undefined ? {} : { madeDirectory };
  const marker: Marker = { version: 1, phase: 'preparing', ...made, requested: config, config };
  try {
    writeJson(layout(dir).marker, marker);
    await prepare(marker, options);
    await startDaemon(dir, options);
    return networkInfo(config);
  } catch (error) {
    clearProcesses(dir);
    removeNetwork(dir, marker);
    throw error;
  }
}

/**
 * The marker of a stopped network with this description, or of one whose making was interrupted; undefined where there
 * is nothing. `self` is the process that has reserved the directory.
 */
function checkDirectory(requested: ResolvedConfig, self?: number): Marker | undefined {
  const { dir } = requested;
  const state = inspectDirectory(dir, self);
  switch (state.kind) {
    case 'absent':
      return undefined;
    case 'foreign':
      throw new NetworkError(
        'DIRECTORY_IN_USE',
        `${dir} holds "${state.entry}", which no network made; choose an empty or a new directory.`,
      );
    case 'running':
      throw new NetworkError(
        'ALREADY_RUNNING',
        `A network is already running in ${dir} (process ${state.daemon.pid}); take it down first, or choose another directory.`,
      );
    case 'starting':
      throw new NetworkError('ALREADY_RUNNING', startingSentence(dir, state.by));
    case 'unfinished':
      return state.marker;
    case 'stopped':
      if (!isDeepStrictEqual(state.marker.requested, requested))
        throw new NetworkError(
          'CONFIG_CHANGED',
          `The stopped network in ${dir} was made from another description: ${describeDifferences(state.marker.requested, requested)}. Give none or the same, take it down first, or choose another directory.`,
        );
      return state.marker;
  }
}

async function prepare(marker: Marker, { onProgress, signal }: StartOptions): Promise<void> {
  const { config } = marker;
  const files = layout(config.dir);
  for (const path of [files.run, files.logs]) mkdirSync(path, { recursive: true, mode: 0o700 });
  const onOrganization = (domain: string): void => {
    if (signal?.aborted) throw new NetworkError('INTERRUPTED', INTERRUPTED_SENTENCE);
    onProgress?.(`Issuing certificates for ${domain}`);
  };
  const authorities = CertificateServers.of(config);
  try {
    await issueNetwork(config, onOrganization, authorities?.findSigner);
  } finally {
    // The network's own process starts them again.
    await authorities?.close();
  }
  writeJson(files.marker, { ...marker, phase: 'ready' });
}

function attempt<T>(dir: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw withSentence(error, dir);
  }
}

function withSentence(error: unknown, dir: string): unknown {
  if (isErrno(error, 'ENOSPC'))
    return new NetworkError('NO_SPACE', `There is no space left for ${dir}.`, { cause: error });
  if (isErrno(error, 'EACCES') || isErrno(error, 'EROFS') || isErrno(error, 'ENOTDIR'))
    return new NetworkError('DIRECTORY_IN_USE', `The directory ${dir} cannot be written to.`, {
      cause: error,
    });
  return error;
}
