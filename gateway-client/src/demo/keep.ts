import { fork } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { ClientError } from '../errors.js';
import type { Hospital } from './consortium.js';
import { agentFolder } from './setup.js';
import { noteAgents, type DemoPaths } from './state.js';

/** The command line as it was built; beside the sources there is none. */
const COMMAND = join(__dirname, '..', '..', 'bin', 'strokeshare.js');

/** Starts the agents as a process of their own, which goes on after the demo, and returns when they serve. */
export async function keepServing(paths: DemoPaths, hospitals: readonly Hospital[]): Promise<void> {
  const log = openSync(paths.agentsLog, 'a', 0o600);
  const folders = hospitals.map(({ mspId }) => agentFolder(paths, mspId));
  const child = fork(COMMAND, ['agent', ...folders], { detached: true, stdio: ['ignore', log, log, 'ipc'] });
  closeSync(log);
  if (child.pid !== undefined) await noteAgents(paths, child.pid);
  await new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve());
    child.once('exit', (code) =>
      reject(
        new ClientError('NO_PROGRESS', `The agents ended with code ${code ?? '?'}; see ${paths.agentsLog}.`),
      ),
    );
  });
  child.removeAllListeners();
  child.disconnect();
  child.unref();
}
