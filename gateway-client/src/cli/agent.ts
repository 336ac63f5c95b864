import { setTimeout as sleep } from 'node:timers/promises';
import { Evaluators, follow, openAgent, type Agent } from '../agent/index.js';
import { sentenceOf } from './ending.js';
import { Resources } from '../resources.js';

/** Worker threads for encryption and evaluation, shared by all institutions of one process. */
const WORKERS = 2;
/** After an error that another try will not mend at once. */
const PAUSE_MS = 5_000;

/** Serves the institutions of some folders until the signal is aborted; one line of JSON for every step. */
export async function serveAgents(folders: readonly string[], signal: AbortSignal): Promise<void> {
  await using resources = new Resources();
  const evaluators = resources.use(new Evaluators(WORKERS));
  const log = (entry: object): void =>
    console.log(JSON.stringify({ time: new Date().toISOString(), ...entry }));
  const agents: Agent[] = [];
  for (const folder of folders) {
    agents.push(resources.use(await openAgent(folder, { evaluators, signal, report: log })));
  }
  log({ step: 'agent', message: `serving ${agents.map(({ context }) => context.mspId).join(', ')}` });
  process.send?.('serving');
  await Promise.all(agents.map((agent) => serve(agent, log)));
}

async function serve({ context, events }: Agent, log: (entry: object) => void): Promise<void> {
  while (!context.signal.aborted) {
    try {
      await follow(context, { events });
    } catch (error) {
      log({ mspId: context.mspId, step: 'agent', error: sentenceOf(error) });
      await sleep(PAUSE_MS, undefined, { signal: context.signal }).catch(() => undefined);
    }
  }
}
