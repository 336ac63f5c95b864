import { join, relative } from 'node:path';
import { Evaluators, follow, openAgent, type Agent, type AgentEvent } from '../agent/index.js';
import { ClientError } from '../errors.js';
import { openResearcher } from '../researcher/index.js';
import { HOSPITALS, type DemoBackend } from './consortium.js';
import { demoDown, removeDemo } from './down.js';
import { EXTRA_FILE, readDemoJobs, runJob, runRefusedJob } from './jobs.js';
import { keepServing } from './keep.js';
import { ATTRIBUTION, dealTrial, type DealtRecords } from './records.js';
import { agrees, jobTable, reportOf, writeReport, type ComparedJob, type DemoReport } from './report.js';
import { agentFolder, deployContracts, makeFolders, startNetwork } from './setup.js';
import { agree, enrollAll, makeKey, publishAll } from './sharing.js';
import { Stages, type StageTime } from './stages.js';
import { demoPaths, findDemo, running, takeFolder, type DemoPaths } from './state.js';
import { Resources } from '../resources.js';

/** Options of {@link runDemo}. */
export interface DemoOptions {
  /** The project's folder: data, examples and output are below it. */
  project: string;
  /** Where the demo keeps what it makes; `.strokeshare/demo` of the project by default. */
  folder?: string;
  /** Where the report goes; `out/demo` of the project by default. */
  out?: string;
  /** The trial's table, where it is another file. */
  dataFile?: string;
  basePort?: number;
  /** `embedded` by default. */
  backend?: DemoBackend;
  /** Leaves the network up. */
  keep?: boolean;
  signal: AbortSignal;
  /** Progress is shown here. */
  progress: NodeJS.WriteStream;
  /** Results are printed by it. */
  print: (text: string) => void;
}

const BASE_PORT = 7051;
/** Worker threads for encryption and evaluation, shared by the four agents: the contracts have their own. */
const WORKERS = 2;
/** The whole demo takes two minutes; what hangs is ended. */
const LIMIT_MS = 20 * 60 * 1000;
/** Commits, reveals and the confirmation of four members, and the moves between the states. */
const CEREMONY_EVENTS = 4 * 13 + 4;

/**
 * Runs the main job: from a fresh network to three released results, each beside the plain
 * computation, and one refused job. Ends the network and removes what it made, unless it is to be kept.
 *
 * @throws ClientError `DEMO_RUNNING`, `FILE_MISSING`, `FILE_ALTERED`, `JOB_FILE_INVALID`, `DEMO_DIFFERS`, `CANCELLED`;
 *   NetworkError `PORT_IN_USE`, `NO_SPACE`, `FABRIC_MISSING` and others.
 */
export async function runDemo(options: DemoOptions): Promise<DemoReport> {
  const paths = demoPaths(options.folder ?? join(options.project, '.strokeshare', 'demo'));
  await refuseSecond(paths);
  const stages = new Stages(options.progress);
  const data = await stages.run('read and deal 19,435 patients', async () => ({
    dealt: await dealTrial(join(options.project, 'data'), HOSPITALS.length, options.dataFile),
    jobs: await readDemoJobs(join(options.project, 'examples', 'jobs')),
  }));
  await takeFolder(paths);
  let kept = false;
  try {
    const report = await onNetwork(options, paths, stages, data);
    if (options.keep) {
      await stages.run('leave the agents running', () => keepServing(paths));
      kept = true;
      options.print(keptText(options, paths));
    }
    return report;
  } catch (error) {
    if (options.signal.aborted) {
      throw new ClientError('CANCELLED', 'Interrupted; everything that the demo started is removed.', {
        cause: error,
      });
    }
    throw error;
  } finally {
    if (!kept) await removeDemo(paths);
  }
}

async function refuseSecond(paths: DemoPaths): Promise<void> {
  const found = await findDemo(paths);
  if (found.kind === 'running') throw running();
  if (found.kind === 'kept') {
    throw new ClientError(
      'DEMO_RUNNING',
      'The network of an earlier demo was kept and is running; take it down first: ./test-network.sh down',
    );
  }
  if (found.kind === 'left behind') await demoDown(paths);
}

async function onNetwork(
  options: DemoOptions,
  paths: DemoPaths,
  stages: Stages,
  { dealt, jobs }: { dealt: DealtRecords; jobs: Awaited<ReturnType<typeof readDemoJobs>> },
): Promise<DemoReport> {
  const ending = new AbortController();
  const signal = AbortSignal.any([options.signal, ending.signal, AbortSignal.timeout(LIMIT_MS)]);
  await using resources = new Resources();
  await stages.run('start the network', (progress) =>
    startNetwork(
      paths,
      { basePort: options.basePort ?? BASE_PORT, backend: options.backend ?? 'embedded' },
      signal,
      progress,
    ),
  );
  await stages.run('deploy the contracts', (progress) => deployContracts(paths, signal, progress));

  const evaluators = resources.use(new Evaluators(WORKERS));
  let onEvent: (event: AgentEvent) => void = () => undefined;
  let setAside: (error: Error) => void = () => undefined;
  const failed = new Promise<never>((_, reject) => (setAside = reject));
  failed.catch(() => undefined);
  const report = (event: AgentEvent): void => {
    if (event.step === 'set aside') setAside(new ClientError('REPLAY_MISMATCH', event.message));
    onEvent(event);
  };
  const surroundings = { evaluators, signal, report };
  const { researcherProfile } = await makeFolders(paths);
  const agents: Agent[] = [];
  for (const { mspId } of HOSPITALS) {
    agents.push(resources.use(await openAgent(agentFolder(paths, mspId), surroundings)));
  }
  const researcher = resources.use(await openResearcher(researcherProfile, signal));
  await stages.run('enroll hospitals and researcher', () => enrollAll(agents, researcher));

  const serving = Promise.all(agents.map(({ context, events }) => follow(context, { events })));
  resources.defer(async () => {
    ending.abort();
    await serving.catch(() => undefined);
  });
  /** Ends at once when an agent fails, instead of waiting for what will never come. */
  const served = <T>(work: Promise<T>): Promise<T> =>
    Promise.race([
      work,
      failed,
      serving.then(() => {
        throw new ClientError('CANCELLED', 'The agents were ended.');
      }),
    ]);

  await stages.run('make the collective key, 3 of 4', (progress) => {
    let count = 0;
    onEvent = ({ step, mspId, message }) => {
      if (step === 'ceremony') progress(++count / CEREMONY_EVENTS, `${mspId} ${message}`);
    };
    return served(makeKey(agents));
  });
  await stages.run('encrypt and register the records', (progress) =>
    served(publishAll(agents, dealt, progress)),
  );
  await stages.run('ask for access and sign the agreement', () => served(agree(agents, researcher)));

  const results: ComparedJob[] = [];
  for (const file of jobs.answered) {
    results.push(
      await stages.run(`job: ${file.name}`, (progress) =>
        served(runJob(researcher, file, dealt.schema, dealt.all, progress)),
      ),
    );
  }
  const refused = await stages.run('a job that is not covered', () =>
    served(runRefusedJob(researcher, jobs.refused)),
  );
  return conclude(options, stages.times, results, refused);
}

async function conclude(
  { project, out = join(project, 'out', 'demo'), print }: DemoOptions,
  stages: StageTime[],
  jobs: readonly ComparedJob[],
  refused: string,
): Promise<DemoReport> {
  const report = reportOf(stages, jobs);
  await writeReport(out, report, jobs, { refused, attribution: ATTRIBUTION });
  for (const job of jobs) print(`\n${jobTable(job)}`);
  print(`\nRefused by the contract: ${refused}`);
  print(`\nThe report is in ${relative(process.cwd(), join(out, 'report.md'))} and report.json beside it.`);
  if (!report.ok) throw differs(jobs);
  return report;
}

function differs(jobs: readonly ComparedJob[]): ClientError {
  const differing = jobs.flatMap(({ name, rows }) =>
    rows
      .filter((row) => !agrees(row))
      .map(
        ({ label, encrypted, plain, tolerance }) =>
          `"${label}" of "${name}" is ${encrypted ?? 'kept back'} instead of ${plain} (tolerance ${tolerance})`,
      ),
  );
  return new ClientError('DEMO_DIFFERS', `Encrypted and plain results differ: ${differing.join('; ')}.`);
}

function keptText({ project }: DemoOptions, paths: DemoPaths): string {
  const profile = relative(process.cwd(), join(paths.researcher, 'researcher.json'));
  const job = relative(process.cwd(), join(project, 'examples', 'jobs', EXTRA_FILE));
  return [
    '',
    'The network and the four agents are left running. One more job:',
    `  npx strokeshare query run ${job} --profile ${profile}`,
    'Take everything down with:',
    '  ./test-network.sh down',
  ].join('\n');
}
