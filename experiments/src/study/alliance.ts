/** Four hospitals with the whole trial on one embedded network, for experiments that ask many questions. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import {
  demo,
  enroll,
  Evaluators,
  follow,
  foundConsortium,
  initAgent,
  initResearcher,
  openAgent,
  openResearcher,
  publishDataset,
  register,
  requestAccess,
  Resources,
  storeFolderOf,
  untilDefined,
  type Agent,
  type LoadedRecord,
  type Researcher,
} from '@strokeshare/gateway-client';
import type { Schema } from '@strokeshare/fhe';
import { clientProfile } from '@strokeshare/network';
import { ROOT } from '../report.js';

const { HOSPITALS, AGENT_USER, RESEARCH, ATTRIBUTION } = demo;
const PURPOSE = 'DUO:0000007';
const STATISTICS = ['count', 'mean', 'variance', 'crosstab', 'correlation', 'survival'] as const;
const EPOCH = 'epoch-1';
const DAY_MS = 86_400_000;
const WORKERS = 2;
/** What every hospital sets here: the trial's records are open, so that no group is too small to show. */
const MINIMUM_COHORT = 1;
const BUDGET = 2000;

/** One dataset to be entered. */
export interface StudyDataset {
  datasetId: string;
  title: string;
  schema: Schema;
  records: readonly LoadedRecord[];
  provenance: demo.DealtRecords['provenance'];
  /** Which hospital owns it, from 0. */
  owner: number;
}

/** The running alliance. */
export interface Study {
  researcher: Researcher;
  /** Awaits work of the agents; fails when one of them does. */
  served<T>(work: Promise<T>): Promise<T>;
  publish(dataset: StudyDataset): Promise<void>;
  /** Has an agreement signed by all owners. */
  agree(agreementId: string, datasets: readonly string[], variables: readonly string[]): Promise<void>;
}

/** Runs work on a fresh network, and removes the network afterwards. */
export async function withStudy<T>(
  name: string,
  basePort: number,
  progress: (line: string) => void,
  work: (study: Study) => Promise<T>,
): Promise<T> {
  const paths = demo.demoPaths(join(ROOT, '.strokeshare', name));
  await demo.demoDown(paths);
  await demo.takeFolder(paths);
  const ending = new AbortController();
  const { signal } = ending;
  const stopped = (): void => ending.abort();
  process.once('SIGINT', stopped).once('SIGTERM', stopped);
  try {
    await using resources = new Resources();
    progress('starts the network and deploys the contracts');
    await demo.startNetwork(paths, { basePort, backend: 'embedded' }, signal, () => undefined);
    await demo.deployContracts(paths, signal, () => undefined);
    const { agents, researcher, served } = await open(paths, resources, ending, progress);
    progress('makes the collective key');
    await served(makeKey(agents, signal));
    return await work({
      researcher,
      served,
      publish: (dataset) => served(publish(agents, dataset)),
      agree: (id, datasets, variables) => served(agree(agents, researcher, id, datasets, variables, signal)),
    });
  } finally {
    ending.abort();
    process.off('SIGINT', stopped).off('SIGTERM', stopped);
    await demo.removeDemo(paths);
  }
}

async function open(
  paths: demo.DemoPaths,
  resources: Resources,
  ending: AbortController,
  progress: (line: string) => void,
): Promise<{ agents: Agent[]; researcher: Researcher; served: Study['served'] }> {
  const { signal } = ending;
  const evaluators = resources.use(new Evaluators(WORKERS));
  let fail: (error: unknown) => void = () => undefined;
  const failed = new Promise<never>((_, reject) => (fail = reject));
  failed.catch(() => undefined);
  const agents: Agent[] = [];
  for (const { mspId, recordsChannel } of HOSPITALS) {
    const folder = demo.agentFolder(paths, mspId);
    const others = HOSPITALS.filter((hospital) => hospital.mspId !== mspId);
    await initAgent(folder, {
      profile: clientProfile(paths.network, mspId, AGENT_USER),
      recordsChannel,
      storage: {
        folders: Object.fromEntries(
          others.map((other) => [other.mspId, storeFolderOf(demo.agentFolder(paths, other.mspId))]),
        ),
      },
      policy: {
        minimumOwnCount: 0,
        purposes: [PURPOSE],
        minimumCohort: MINIMUM_COHORT,
        releaseBudget: BUDGET,
        days: 91,
      },
    });
    const report: Parameters<typeof openAgent>[1]['report'] = ({ step, message, mspId: who }) => {
      if (step === 'set aside') fail(new Error(`${who}: ${message}`));
    };
    agents.push(resources.use(await openAgent(folder, { evaluators, signal, report })));
  }
  const profiles = HOSPITALS.slice(0, 2).map(({ mspId }) =>
    clientProfile(paths.network, RESEARCH.mspId, RESEARCH.user, mspId),
  );
  const researcher = resources.use(
    await openResearcher(await initResearcher(paths.researcher, { profiles }), signal),
  );
  progress('enrolls the hospitals and the researcher');
  await foundConsortium(first(agents).context, {
    members: HOSPITALS.map(({ mspId }) => ({ mspId, level: 'municipal' })),
    rule: 'majority',
  });
  await Promise.all([
    ...agents.map(({ context }) => enroll(context, { name: context.mspId })),
    register(researcher, { name: 'Researcher 1', affiliation: 'Stroke research group' }),
  ]);
  const serving = agents.map(({ context, events }) => follow(context, { events }));
  Promise.all(serving).then(() => fail(new Error('The agents were ended.')), fail);
  resources.defer(async () => {
    ending.abort();
    await Promise.allSettled(serving);
  });
  return { agents, researcher, served: (promise) => Promise.race([promise, failed]) };
}

async function makeKey(agents: readonly Agent[], signal: AbortSignal): Promise<void> {
  const { context, events } = first(agents);
  const { consortium } = context;
  const members = HOSPITALS.map(({ mspId }) => mspId);
  await consortium.epochs.open(
    { epochId: EPOCH, parameterSet: 'standard', threshold: 3, members },
    { signal },
  );
  await untilDefined(events, signal, async () => {
    const { state, abort } = await consortium.epochs.get({ epochId: EPOCH }, { signal });
    if (state === 'ABORTED') throw new Error(`The key ceremony was aborted: ${abort?.reason ?? ''}`);
    return state === 'ACTIVE' || undefined;
  });
}

async function publish(agents: readonly Agent[], { owner, ...dataset }: StudyDataset): Promise<void> {
  const agent = agents[owner];
  if (!agent) throw new TypeError('a dataset has an owner');
  await publishDataset(agent.context, {
    ...dataset,
    records: dataset.records.map(({ values }) => values),
    patients: dataset.records.map(({ line }) => `line ${line}`),
    epochId: EPOCH,
    minimumCohort: MINIMUM_COHORT,
    conditions: ['DUO:0000042'],
  });
}

async function agree(
  agents: readonly Agent[],
  researcher: Researcher,
  agreementId: string,
  datasets: readonly string[],
  variables: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const now = Date.now();
  const permissionId = `${agreementId}-request`;
  await requestAccess(researcher, {
    permissionId,
    datasets: [...datasets],
    variables: [...variables],
    statistics: [...STATISTICS],
    purpose: PURPOSE,
    use: { diseases: ['MONDO:0005098'] },
    from: new Date(now - 60_000).toISOString(),
    until: new Date(now + 90 * DAY_MS).toISOString(),
    minimumCohort: MINIMUM_COHORT,
    releaseBudget: BUDGET,
  });
  const terms = `The hospitals let the researcher compute statistics of ${variables.join(', ')}. ${ATTRIBUTION}`;
  const textHash = createHash('sha256').update(terms).digest('hex');
  await first(agents).context.consortium.agreements.propose(
    { agreementId, permissionId, textHash, terms },
    { signal },
  );
  await untilDefined(researcher.events, signal, async () => {
    const { state } = await researcher.client.agreements.get({ agreementId }, { signal });
    return state === 'ACTIVE' || undefined;
  });
}

function first(agents: readonly Agent[]): Agent {
  const [agent] = agents;
  if (!agent) throw new TypeError('an alliance has agents');
  return agent;
}
