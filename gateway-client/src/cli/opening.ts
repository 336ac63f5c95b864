import { Evaluators, openAgent, type AgentContext } from '../agent/index.js';
import { auditorClient, connectLedger, readProfile, type AuditorClient } from '../connect/index.js';
import type { Resources } from '../resources.js';

/** Worker threads that encrypt for one command. */
const WORKERS = 2;

/** How commands reach an institution's agent, and the ledger as anybody of the consortium reads it. */
export interface Opening {
  /** What is opened is closed with the resources. */
  agent: (folder: string, resources: Resources, signal: AbortSignal) => Promise<AgentContext>;
  auditor: (profilePath: string, resources: Resources) => Promise<AuditorClient>;
}

/** By the folder that `initAgent` set up, and by a connection profile; every step is told on standard error. */
export const openingFiles: Opening = {
  async agent(folder, resources, signal) {
    const evaluators = resources.use(new Evaluators(WORKERS));
    const report = ({ id, message }: { id: string; message: string }): void => {
      process.stderr.write(`${id}: ${message}\n`);
    };
    return resources.use(await openAgent(folder, { evaluators, signal, report })).context;
  },
  async auditor(path, resources) {
    return auditorClient(resources.use(await connectLedger(await readProfile(path))));
  },
};
