import { open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { identifyProcess, isRunning, processIdentitySchema } from '@strokeshare/network';
import { z } from 'zod';
import { makePrivateFolder, writePrivateFile } from '../agent/durable-file.js';
import { ClientError } from '../errors.js';

const state = z.strictObject({
  version: z.literal(1),
  /** The demo that works here, or worked. */
  demo: processIdentitySchema,
  /** The agents that a kept network is served by. */
  agents: processIdentitySchema.optional(),
  /** The processes of the storage nodes' external and internal zones. */
  zones: z.array(processIdentitySchema).optional(),
});
export type DemoState = z.infer<typeof state>;

/** Where the demo keeps what it makes. */
export interface DemoPaths {
  root: string;
  /** Says that a demo runs, or left something. */
  state: string;
  network: string;
  agents: string;
  storage: string;
  researcher: string;
  agentsLog: string;
  storageLog: string;
}

export function demoPaths(root: string): DemoPaths {
  return {
    root,
    state: join(root, 'demo.json'),
    network: join(root, 'network'),
    agents: join(root, 'agents'),
    storage: join(root, 'storage'),
    researcher: join(root, 'researcher'),
    agentsLog: join(root, 'agents.log'),
    storageLog: join(root, 'storage.log'),
  };
}

/** What a demo left in a folder, and whether something of it still runs. */
export type Found =
  | { kind: 'nothing' }
  | { kind: 'running'; state: DemoState }
  | { kind: 'kept'; state: DemoState }
  | { kind: 'left behind'; state?: DemoState };

/** Looks whether a demo runs in a folder, was kept there, or ended without clearing up. */
export async function findDemo(paths: DemoPaths): Promise<Found> {
  const text = await readFile(paths.state, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return { kind: 'nothing' };
  const parsed = state.safeParse(jsonOrUndefined(text));
  if (!parsed.success) return { kind: 'left behind' };
  if (isRunning(parsed.data.demo)) return { kind: 'running', state: parsed.data };
  const { agents } = parsed.data;
  return agents && isRunning(agents)
    ? { kind: 'kept', state: parsed.data }
    : { kind: 'left behind', state: parsed.data };
}

/**
 * Takes the folder for this process; of two that try at once one succeeds.
 *
 * @throws ClientError `DEMO_RUNNING`.
 */
export async function takeFolder(paths: DemoPaths): Promise<void> {
  await makePrivateFolder(paths.root);
  try {
    const file = await open(paths.state, 'wx', 0o600);
    await file.writeFile(JSON.stringify(ownState()));
    await file.close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw running();
  }
}

/** What a second demo is told. */
export function running(): ClientError {
  return new ClientError(
    'DEMO_RUNNING',
    'Another demo is running here; wait for it, or end it by Ctrl-C in its own window.',
  );
}

/** Notes which process serves the kept network. */
export async function noteAgents(paths: DemoPaths, pid: number): Promise<void> {
  const agents = identifyProcess(pid);
  await note(paths, agents ? { agents } : {});
}

/** Notes which processes serve the storage nodes, so that whoever comes later can end them. */
export async function noteZones(paths: DemoPaths, pids: readonly number[]): Promise<void> {
  await note(paths, { zones: pids.map(identifyProcess).filter((identity) => identity !== undefined) });
}

async function note(paths: DemoPaths, more: Partial<DemoState>): Promise<void> {
  const found = await findDemo(paths);
  const known = 'state' in found ? found.state : undefined;
  await writePrivateFile(paths.state, JSON.stringify({ ...known, ...ownState(), ...more }));
}

/** Lets go of the folder: whatever else was in it is removed before. */
export async function releaseFolder(paths: DemoPaths): Promise<void> {
  await rm(paths.state, { force: true });
}

function ownState(): DemoState {
  const demo = identifyProcess(process.pid);
  if (!demo) throw new Error('this process cannot identify itself');
  return { version: 1, demo };
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
