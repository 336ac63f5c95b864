import { rm, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { down as networkDown, isRunning, killGroup, NetworkError, waitForExit } from '@strokeshare/network';
import { endZones } from './storage.js';
import { findDemo, releaseFolder, running, type DemoPaths, type DemoState } from './state.js';

/** How long the agents of a kept network may take to end by themselves. */
const AGENTS_DEADLINE_MS = 10_000;

/**
 * Ends what a demo left in a folder and removes all that it made, and only that.
 *
 * @returns whether there was anything.
 * @throws ClientError `DEMO_RUNNING`.
 */
export async function demoDown(paths: DemoPaths): Promise<boolean> {
  const found = await findDemo(paths);
  if (found.kind === 'nothing') return false;
  if (found.kind === 'running') throw running();
  await removeDemo(paths, found.state);
  return true;
}

/** The same for the demo that this process itself runs. */
export async function removeDemo(
  paths: DemoPaths,
  { agents }: Pick<DemoState, 'agents'> = {},
): Promise<void> {
  if (agents && isRunning(agents)) {
    process.kill(agents.pid, 'SIGTERM');
    if (!(await waitForExit(agents, AGENTS_DEADLINE_MS))) killGroup(agents);
  }
  await endZones(paths);
  await networkDown(paths.network).catch((error: unknown) => {
    if (!(error instanceof NetworkError && error.code === 'NOT_RUNNING')) throw error;
  });
  for (const path of [paths.agents, paths.researcher, paths.storage, paths.agentsLog, paths.storageLog]) {
    await rm(path, { recursive: true, force: true });
  }
  await releaseFolder(paths);
  for (const folder of [paths.root, dirname(paths.root)]) {
    // Only when nothing else is in it.
    await rmdir(folder).catch(() => undefined);
  }
}
