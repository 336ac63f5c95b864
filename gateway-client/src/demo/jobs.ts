import { join } from 'node:path';
import { parseQuery, type Schema } from '@strokeshare/fhe';
import type { LoadedRecord } from '../load/index.js';
import {
  JobRefused,
  openResult,
  readJobFile,
  resultRows,
  submitJob,
  waitForJob,
  type JobFile,
  type ResearcherContext,
} from '../researcher/index.js';
import { ClientError } from '../errors.js';
import { plainRows } from './plain.js';
import { compareRows, type ComparedJob } from './report.js';
import type { Progress } from './stages.js';

/** The demo's questions, in their order. */
const JOB_FILES = ['age-by-stroke-subtype.yaml', 'aspirin-and-death.yaml', 'pressure-by-consciousness.yaml'];
/** One that the agreement does not cover. */
const REFUSED_FILE = 'delay-by-stroke-subtype.yaml';
/** One more, for a network that is kept. */
export const EXTRA_FILE = 'heparin-and-death.yaml';

const STATES = ['SUBMITTED', 'EVALUATING', 'AGGREGATED', 'COUNTED', 'RELEASED'];

/** The questions of the demo: those that are answered, and the one that is refused. */
export interface DemoJobs {
  answered: JobFile[];
  refused: JobFile;
}

/**
 * Reads the demo's job files.
 *
 * @throws ClientError `JOB_FILE_INVALID`.
 */
export async function readDemoJobs(folder: string): Promise<DemoJobs> {
  return {
    answered: await Promise.all(JOB_FILES.map((name) => readJobFile(join(folder, name)))),
    refused: await readJobFile(join(folder, REFUSED_FILE)),
  };
}

/** Runs one job to its end and sets its result beside the plain computation. */
export async function runJob(
  researcher: ResearcherContext,
  file: JobFile,
  schema: Schema,
  patients: readonly LoadedRecord[],
  progress: Progress,
): Promise<ComparedJob> {
  const { jobId } = await submitJob(researcher, file);
  await waitForJob(researcher, jobId, (state) =>
    progress(STATES.indexOf(state) / STATES.length, state.toLowerCase()),
  );
  const result = await openResult(researcher, jobId);
  const plain = plainRows(
    parseQuery(file.query),
    schema,
    patients.map(({ values }) => values),
  );
  const variables = Object.fromEntries(
    file.query.statistics.flatMap((request) =>
      'variable' in request ? [[request.id, request.variable]] : [],
    ),
  );
  return { name: file.title, rows: compareRows(resultRows(result), plain, variables, schema) };
}

/**
 * Submits the job that the agreement does not cover, and reads the committed refusal back.
 *
 * @returns a sentence with id, code and reason.
 */
export async function runRefusedJob(researcher: ResearcherContext, file: JobFile): Promise<string> {
  const refusal = await submitJob(researcher, file).then(
    () => undefined,
    (error: unknown) => {
      if (error instanceof JobRefused) return error;
      throw error;
    },
  );
  if (!refusal) {
    throw new ClientError(
      'DEMO_DIFFERS',
      `The job "${file.title}" was accepted, though the agreement does not cover it.`,
    );
  }
  const { jobId } = refusal;
  const { state, refusal: recorded } = await researcher.client.jobs.get(
    { jobId },
    { signal: researcher.signal },
  );
  if (state !== 'REFUSED' || recorded?.code !== refusal.refusalCode) {
    throw new ClientError('DEMO_DIFFERS', `The refusal of job ${jobId} is not on the ledger.`);
  }
  return `"${file.title}" (${jobId}): ${state}, ${recorded.code}: ${recorded.reason}`;
}
