import { callDaemon } from '../daemon/control.js';
import { layout } from '../daemon/layout.js';
import { killGroup, waitForExit, type ProcessIdentity } from '../daemon/processes.js';
import { NetworkError } from '../errors.js';
import { clearProcesses, removeNetwork, requireNetwork } from './directory.js';

/** How long a daemon may take to close its ledgers before it is killed; its blocks are safe either way. */
const STOP_DEADLINE_MS = 20_000;

/**
 * Stops a network but keeps its ledger, identities and chaincodes for the next `up`.
 * @throws NetworkError NOT_RUNNING
 */
export async function stop(dir: string): Promise<void> {
  const state = requireNetwork(dir);
  if (state.kind !== 'running')
    throw new NetworkError('NOT_RUNNING', `The network in ${dir} is not running.`);
  await end(dir, state.daemon);
  clearProcesses(dir);
}

/**
 * Stops a network and removes everything that it made, and only that; after a crash or an interrupted start, too.
 * @throws NetworkError NOT_RUNNING when there is no network in the directory, ALREADY_RUNNING while one is being started
 */
export async function down(dir: string): Promise<void> {
  const state = requireNetwork(dir);
  if (state.kind === 'running') await end(dir, state.daemon);
  clearProcesses(dir);
  removeNetwork(dir, state.marker);
}

async function end(dir: string, daemon: ProcessIdentity): Promise<void> {
  try {
    await callDaemon(layout(dir).socket, { method: 'stop' });
  } catch {
    // It does not listen yet, or went away while it answered; the signal makes sure that it was asked.
    killGroup(daemon, 'SIGTERM');
  }
  if (await waitForExit(daemon, STOP_DEADLINE_MS)) return;
  killGroup(daemon);
  await waitForExit(daemon, STOP_DEADLINE_MS);
}
