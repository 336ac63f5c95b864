import {
  Evaluators,
  follow,
  openAgent,
  type Agent,
  type AgentEvent,
  type FollowOptions,
} from '../agent/index.js';
import { ClientError } from '../errors.js';
import { openResearcher, type Researcher } from '../researcher/index.js';
import type { Resources } from '../resources.js';
import type { DemoNetwork } from './consortium.js';
import { agentFolder, makeFolders } from './setup.js';
import type { DemoPaths } from './state.js';

/** Worker threads for encryption and evaluation, shared by the agents: the contracts have their own. */
const WORKERS = 2;

/** The hospitals' agents and the researcher, connected. */
export interface Alliance {
  readonly agents: readonly Agent[];
  readonly researcher: Researcher;
  /** Tells of every step of every agent from now on, instead of whom it told before. */
  hear(listener: (event: AgentEvent) => void): void;
  /** Lets the agents follow the ledger. */
  serve(options?: Pick<FollowOptions, 'onError'>): void;
  /** Awaits work that the agents take part in; ends at once when one of them fails, for then it would never end. */
  served<T>(work: Promise<T>): Promise<T>;
}

/** Opens the agents of all hospitals and the researcher; `resources` close them. */
export async function openAlliance(
  paths: DemoPaths,
  network: DemoNetwork,
  resources: Resources,
  outer: AbortSignal,
): Promise<Alliance> {
  const ending = new AbortController();
  const signal = AbortSignal.any([outer, ending.signal]);
  const evaluators = resources.use(new Evaluators(WORKERS));
  let listener: (event: AgentEvent) => void = () => undefined;
  let fail: (error: unknown) => void = () => undefined;
  const failed = new Promise<never>((_, reject) => (fail = reject));
  failed.catch(() => undefined);
  const report = (event: AgentEvent): void => {
    if (event.step === 'set aside') fail(new ClientError('REPLAY_MISMATCH', event.message));
    listener(event);
  };
  const { researcherProfile } = await makeFolders(paths, network);
  const agents: Agent[] = [];
  for (const { mspId } of network.hospitals) {
    const folder = agentFolder(paths, mspId);
    agents.push(resources.use(await openAgent(folder, { evaluators, signal, report })));
  }
  const researcher = resources.use(await openResearcher(researcherProfile, signal));
  return {
    agents,
    researcher,
    hear: (next) => (listener = next),
    serve(options = {}) {
      const serving = agents.map(({ context, events }) => follow(context, { events, ...options }));
      Promise.all(serving).then(() => fail(new ClientError('CANCELLED', 'The agents were ended.')), fail);
      resources.defer(async () => {
        ending.abort();
        await Promise.allSettled(serving);
      });
    },
    served: (work) => Promise.race([work, failed]),
  };
}
