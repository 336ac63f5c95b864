import { join, relative } from 'node:path';
import { ClientError } from '../errors.js';
import { openAlliance } from './alliance.js';
import { KEY_THRESHOLD, type DemoBackend, type DemoNetwork } from './consortium.js';
import { demoDown, removeDemo } from './down.js';
import { EXTRA_FILE, readDemoJobs, runJob, runRefusedJob, type DemoJobs } from './jobs.js';
import { keepServing } from './keep.js';
import { ATTRIBUTION, dealTrial, type DealtRecords } from './records.js';
import { agrees, jobTable, reportOf, writeReport, type ComparedJob, type DemoReport } from './report.js';
import { existingNetwork } from './existing.js';
import { deployContracts, ownNetwork, startNetwork } from './setup.js';
import { agree, enrollAll, makeKey, publishAll } from './sharing.js';
import { Stages, type StageTime } from './stages.js';
import { startZones, verifyZones } from './storage.js';
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
  /** Which nodes it starts: `embedded` by default. */
  backend?: DemoBackend;
  /** Folder of connection profiles and identities of a network that runs already; nothing is started then. */
  profiles?: string;
  /** Leaves the network up. */
  keep?: boolean;
  signal: AbortSignal;
  /** Progress is shown here. */
  progress: NodeJS.WriteStream;
  /** Results are printed by it. */
  print: (text: string) => void;
}

const BASE_PORT = 7051;
/** The whole demo takes two minutes; what hangs is ended. */
const LIMIT_MS = 20 * 60 * 1000;
/** Commits, reveals and the confirmation of every member, and the moves between the states. */
const ceremonyEvents = (members: number): number => members * 13 + 4;

/**
 * Runs the main job: from a fresh network, or one that runs already, to three released results, each beside the plain
 * computation, and one refused job. Ends the network and removes what it made, unless it is to be kept.
 *
 * @throws ClientError `DEMO_RUNNING`, `FILE_MISSING`, `FILE_ALTERED`, `JOB_FILE_INVALID`, `DEMO_DIFFERS`, `CANCELLED`,
 *   `PROFILE_INVALID`, `NETWORK_IN_USE`;
 *   NetworkError `PORT_IN_USE`, `NO_SPACE`, `FABRIC_MISSING` and others.
 */
export async function runDemo(options: DemoOptions): Promise<DemoReport> {
  const paths = demoPaths(options.folder ?? join(options.project, '.strokeshare', 'demo'));
  await refuseSecond(paths);
  const stages = new Stages(options.progress);
  const existing = options.profiles === undefined ? undefined : await existingNetwork(options.profiles);
  const network = existing ?? ownNetwork(paths);
  const data = await stages.run('read and deal 19,435 patients', async () => ({
    dealt: await dealTrial(join(options.project, 'data'), network.hospitals.length, options.dataFile),
    jobs: await readDemoJobs(join(options.project, 'examples', 'jobs')),
  }));
  await takeFolder(paths);
  let kept = false;
  try {
    const report = await onNetwork(options, paths, stages, {
      network,
      start: existing === undefined,
      ...data,
    });
    if (options.keep) {
      await stages.run('leave the agents running', () => keepServing(paths, network.hospitals));
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

interface DemoWork {
  network: DemoNetwork;
  /** Whether the network is the demo's own, to be started. */
  start: boolean;
  dealt: DealtRecords;
  jobs: DemoJobs;
}

async function onNetwork(
  options: DemoOptions,
  paths: DemoPaths,
  stages: Stages,
  { network, start, dealt, jobs }: DemoWork,
): Promise<DemoReport> {
  const ending = new AbortController();
  const signal = AbortSignal.any([options.signal, ending.signal, AbortSignal.timeout(LIMIT_MS)]);
  await using resources = new Resources();
  const { basePort = BASE_PORT, backend = 'embedded' } = options;
  if (start) {
    await stages.run('start the network', (progress) =>
      startNetwork(paths, { basePort, backend }, signal, progress),
    );
    await stages.run('deploy the contracts', (progress) => deployContracts(paths, signal, progress));
    await stages.run('start the storage nodes', () => startZones(paths, basePort));
  }

  const { hospitals } = network;
  const alliance = await openAlliance(
    paths,
    start ? { ...network, zonePort: basePort } : network,
    resources,
    signal,
  );
  const { agents, researcher, served } = alliance;
  await stages.run('enroll hospitals and researcher', () => enrollAll(hospitals, agents, researcher));
  alliance.serve();

  await stages.run(`make the collective key, ${KEY_THRESHOLD} of ${hospitals.length}`, (progress) => {
    let count = 0;
    alliance.hear(({ step, mspId, message }) => {
      if (step === 'ceremony') progress(++count / ceremonyEvents(hospitals.length), `${mspId} ${message}`);
    });
    return served(makeKey(agents));
  });
  await stages.run('encrypt and register the records', (progress) =>
    served(publishAll(hospitals, agents, dealt, progress)),
  );
  await stages.run('ask for access and sign the agreement', () =>
    served(agree(hospitals, agents, researcher)),
  );

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
  // The agents are idle now, so that the nodes can be closed and compared with what the ledger holds.
  const storage =
    start && !options.keep
      ? await stages.run('verify the storage nodes', () => verifyZones(paths))
      : undefined;
  return conclude(options, stages.times, results, { refused, ...(storage !== undefined && { storage }) });
}

async function conclude(
  { project, out = join(project, 'out', 'demo'), print }: DemoOptions,
  stages: StageTime[],
  jobs: readonly ComparedJob[],
  { refused, storage }: { refused: string; storage?: string },
): Promise<DemoReport> {
  const report = reportOf(stages, jobs);
  await writeReport(out, report, jobs, { refused, attribution: ATTRIBUTION });
  for (const job of jobs) print(`\n${jobTable(job)}`);
  print(`\nRefused by the contract: ${refused}`);
  if (storage !== undefined) print(`\n${storage}`);
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
    'The network and the agents are left running. One more job:',
    `  npx strokeshare query run ${job} --profile ${profile}`,
    'Take everything down with:',
    '  ./test-network.sh down',
  ].join('\n');
}
