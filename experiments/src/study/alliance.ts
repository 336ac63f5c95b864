/** Hospitals on one embedded network, for experiments and benches that ask many questions. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import {
  demo,
  enroll,
  foundConsortium,
  ownPatients,
  publishRows,
  register,
  requestAccess,
  Resources,
  untilDefined,
  type Agent,
  type AgentEvent,
  type LoadedRecord,
  type Researcher,
  type StreamedDataset,
} from '@strokeshare/gateway-client';
import type { Schema } from '@strokeshare/fhe';
import { ROOT } from '../report.js';

const { HOSPITALS, ATTRIBUTION } = demo;
const PURPOSE = 'DUO:0000007';
const STATISTICS = ['count', 'mean', 'variance', 'crosstab', 'correlation', 'survival', 'logistic'] as const;
export const EPOCH = 'epoch-1';
const DAY_MS = 86_400_000;
/** Holders that release together, where there are as many hospitals. */
const THRESHOLD = 3;
/** What every hospital sets here: the trial's records are open, so that no group is too small to show. */
const MINIMUM_COHORT = 1;
const BUDGET = 5000;

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

/** One whose patients come some at a time. */
export type StreamedStudyDataset = Omit<StudyDataset, 'records'> & Pick<StreamedDataset, 'rows'>;

/** The running alliance. */
export interface Study {
  hospitals: readonly demo.OwnHospital[];
  agents: readonly Agent[];
  researcher: Researcher;
  /** Awaits work of the agents; fails when one of them does. */
  served<T>(work: Promise<T>): Promise<T>;
  /** Tells of every step of every agent from now on. */
  hear(listener: (event: AgentEvent) => void): void;
  publish(dataset: StudyDataset): Promise<void>;
  /** The same row by row; `progress` is told how many patients are encrypted. */
  load(dataset: StreamedStudyDataset, progress?: (patients: number) => void): Promise<void>;
  /** Has an agreement signed by all owners. */
  agree(agreementId: string, datasets: readonly string[], variables: readonly string[]): Promise<void>;
}

/** Runs work on a fresh network, and removes the network afterwards. */
export async function withStudy<T>(
  name: string,
  basePort: number,
  progress: (line: string) => void,
  work: (study: Study) => Promise<T>,
  hospitals: readonly demo.OwnHospital[] = HOSPITALS,
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
    await demo.startNetwork(paths, { basePort, backend: 'embedded', hospitals }, signal, () => undefined);
    await demo.deployContracts(paths, signal, () => undefined, hospitals);
    const policy = { minimumOwnCount: 0, minimumCohort: MINIMUM_COHORT, releaseBudget: BUDGET };
    const network = { ...demo.ownNetwork(paths, hospitals), policy };
    const { agents, researcher, ...alliance } = await demo.openAlliance(paths, network, resources, signal);
    progress('enrolls the hospitals and the researcher');
    await found(hospitals, agents, researcher);
    alliance.serve();
    const { hear, served } = alliance;
    progress('makes the collective key');
    await served(makeKey(agents, signal));
    return await work({
      ...{ hospitals, agents, researcher, hear, served },
      publish({ records, ...dataset }) {
        const rows = ownPatients(
          records.map(({ values }) => values),
          records.map(({ line }) => `line ${line}`),
        );
        return served(load(agents, { ...dataset, rows: [rows] }));
      },
      load: (dataset, told) => served(load(agents, dataset, told)),
      agree: (id, datasets, variables) => served(agree(agents, researcher, id, datasets, variables, signal)),
    });
  } finally {
    ending.abort();
    process.off('SIGINT', stopped).off('SIGTERM', stopped);
    await demo.removeDemo(paths);
  }
}

async function found(
  hospitals: readonly demo.OwnHospital[],
  agents: readonly Agent[],
  researcher: Researcher,
): Promise<void> {
  await foundConsortium(first(agents).context, {
    members: hospitals.map(({ mspId }) => ({ mspId, level: 'municipal' })),
    rule: 'majority',
  });
  await Promise.all([
    ...agents.map(({ context }) => enroll(context, { name: context.mspId })),
    register(researcher, { name: 'Researcher 1', affiliation: 'Stroke research group' }),
  ]);
}

async function makeKey(agents: readonly Agent[], signal: AbortSignal): Promise<void> {
  const { context, events } = first(agents);
  const { consortium } = context;
  const members = agents.map(({ context: { mspId } }) => mspId);
  const threshold = Math.min(THRESHOLD, members.length);
  await consortium.epochs.open({ epochId: EPOCH, parameterSet: 'standard', threshold, members }, { signal });
  await untilDefined(events, signal, async () => {
    const { state, abort } = await consortium.epochs.get({ epochId: EPOCH }, { signal });
    if (state === 'ABORTED') throw new Error(`The key ceremony was aborted: ${abort?.reason ?? ''}`);
    return state === 'ACTIVE' || undefined;
  });
}

async function load(
  agents: readonly Agent[],
  { owner, ...dataset }: StreamedStudyDataset,
  progress?: (patients: number) => void,
): Promise<void> {
  const agent = agents[owner];
  if (!agent) throw new TypeError('a dataset has an owner');
  await publishRows(
    agent.context,
    { ...dataset, epochId: EPOCH, minimumCohort: MINIMUM_COHORT, conditions: ['DUO:0000042'] },
    progress,
  );
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
