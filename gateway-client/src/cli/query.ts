import { writeFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { ClientError } from '../errors.js';
import { unwritable } from '../named-file.js';
import { toSvg } from '../pictures/index.js';
import {
  cancelJob,
  forecast,
  jobFileSchema,
  openResearcher,
  openResult,
  pictureOf,
  readJobFile,
  readRegression,
  regress,
  resultRows,
  submitJob,
  waitForJob,
  type JobFile,
  type JobResult,
  type Researcher,
} from '../researcher/index.js';
import { profileOption, withExample } from './options.js';
import { forecastText, stateText } from './job-text.js';
import { formatRows, formats, regressionText, type Format } from './formats.js';
import { provenanceText } from './provenance.js';

interface Flags {
  profile: string;
  json?: boolean;
}
interface ResultFlags extends Flags {
  format: Format;
  job?: string;
  statistic?: string;
  out?: string;
}

const PROFILE = "the researcher's profile, a researcher.json";
const EXAMPLE = 'examples/jobs/heparin-and-death.yaml --profile .strokeshare/demo/researcher/researcher.json';

/** `strokeshare query ...`: from a job file to its result. */
export function queryCommand(signal: AbortSignal): Command {
  const query = new Command('query').description('ask a question');
  const command = (usage: string, description: string, example: string): Command =>
    withExample(
      query.command(usage).description(description).addOption(profileOption(PROFILE)),
      `query ${example}`,
    );
  const withFormat = (one: Command): Command =>
    one
      .addOption(new Option('--format <format>', 'how to print it').choices(formats).default('table'))
      .option('--json', 'the same as --format json')
      .option('--statistic <id>', 'the statistic to draw, with --format svg; the first that has a picture')
      .option('--out <file>', 'write the result to a file');

  command(
    'plan <job>',
    'say what the job of a YAML file would take, and whether it is covered; sends nothing',
    `plan ${EXAMPLE}`,
  )
    .option('--json', 'print the plan as JSON')
    .action((path: string, flags: Flags) => queryPlan(path, flags, signal));
  withFormat(
    command(
      'run <job>',
      'submit the job of a YAML file, wait for its result and print it',
      `run ${EXAMPLE} --format md`,
    ),
  ).action((path: string, flags: ResultFlags) => queryRun(path, flags, signal));
  command(
    'status <job-id>',
    'print the state of a job',
    'status aspirin-and-death-1a2b3c4d --watch --profile researcher.json',
  )
    .option('--watch', 'wait until it has ended, and print every state')
    .option('--json', 'print the whole job as JSON')
    .action((jobId: string, flags: Flags & { watch?: boolean }) => queryStatus(jobId, flags, signal));
  command(
    'cancel <job-id>',
    'end an own job that has not ended; the reason stays on the ledger',
    'cancel aspirin-and-death-1a2b3c4d --reason "Asked for the wrong period" --profile researcher.json',
  )
    .requiredOption('--reason <text>')
    .option('--json', 'print the whole job as JSON')
    .action((jobId: string, flags: Flags & { reason: string }) => queryCancel(jobId, flags, signal));
  withFormat(
    command(
      'result <job-id>',
      'open the result of a job that has ended, check it and print it',
      'result aspirin-and-death-1a2b3c4d --profile researcher.json --format csv',
    ),
  )
    .option(
      '--job <file>',
      'the job file: its statistics are computed; without it, the released cells are shown',
    )
    .action((jobId: string, flags: ResultFlags) => queryResult(jobId, flags, signal));
  command(
    'regress <file>',
    'fit the logistic regression of a YAML file: one released job for every iteration',
    'regress examples/regressions/death-by-age-and-consciousness.yaml --profile researcher.json',
  )
    .option('--json', 'print it as JSON')
    .action((path: string, flags: Flags) => queryRegress(path, flags, signal));
  withExample(query.command('schema'), 'query schema > job.schema.json')
    .description('print the JSON schema of job files, for completion in editors')
    .action(() => console.log(JSON.stringify(jobFileSchema(), undefined, 2)));
  return query;
}

async function queryPlan(path: string, { profile, json }: Flags, signal: AbortSignal): Promise<void> {
  const file = await readJobFile(path);
  using researcher = await openResearcher(profile, signal);
  const made = await forecast(researcher, file);
  console.log(json ? JSON.stringify(made, undefined, 2) : forecastText(file, made));
}

async function queryRun(path: string, flags: ResultFlags, signal: AbortSignal): Promise<void> {
  const file = await readJobFile(path);
  using researcher = await openResearcher(flags.profile, signal);
  const { jobId } = await submitJob(researcher, file);
  await waitForJob(researcher, jobId, (state) => process.stderr.write(`${jobId}: ${state}\n`));
  await show(researcher, jobId, file, flags);
}

async function queryRegress(path: string, { profile, json }: Flags, signal: AbortSignal): Promise<void> {
  const file = await readRegression(path);
  using researcher = await openResearcher(profile, signal);
  const fitted = await regress(researcher, file, (jobId) => process.stderr.write(`${jobId}: RELEASED\n`));
  console.log(json ? JSON.stringify(fitted, undefined, 2) : regressionText(file.title, fitted));
}

async function queryStatus(
  jobId: string,
  { profile, json, watch }: Flags & { watch?: boolean },
  signal: AbortSignal,
): Promise<void> {
  using researcher = await openResearcher(profile, signal);
  if (watch) await waitForJob(researcher, jobId, (state) => process.stderr.write(`${jobId}: ${state}\n`));
  const job = await researcher.client.jobs.get({ jobId }, { signal });
  console.log(json ? JSON.stringify(job, undefined, 2) : stateText(job));
}

async function queryCancel(
  jobId: string,
  { profile, json, reason }: Flags & { reason: string },
  signal: AbortSignal,
): Promise<void> {
  using researcher = await openResearcher(profile, signal);
  const job = await cancelJob(researcher, jobId, reason);
  console.log(json ? JSON.stringify(job, undefined, 2) : `${jobId} is ${job.state}.`);
}

async function queryResult(jobId: string, flags: ResultFlags, signal: AbortSignal): Promise<void> {
  const file = flags.job === undefined ? undefined : await readJobFile(flags.job);
  using researcher = await openResearcher(flags.profile, signal);
  await show(researcher, jobId, file, flags);
}

async function show(
  researcher: Researcher,
  jobId: string,
  file: JobFile | undefined,
  { format, json, statistic, out }: ResultFlags,
): Promise<void> {
  const result = await openResult(researcher, jobId);
  const text = await printed(result, file, json ? 'json' : format, statistic);
  if (out === undefined) console.log(text);
  else
    await writeFile(out, `${text}\n`).catch((cause: unknown) => {
      throw unwritable('The result', out, cause);
    });
}

async function printed(
  result: JobResult,
  file: JobFile | undefined,
  format: Format,
  statistic: string | undefined,
): Promise<string> {
  const { jobId, state } = result.job;
  const title = file?.title ?? jobId;
  const rows = resultRows(result, file?.analyses);
  switch (format) {
    case 'json':
      return JSON.stringify({ jobId, state, title, provenance: result.provenance, rows }, undefined, 2);
    case 'csv':
      return formatRows(rows, format);
    case 'svg': {
      const picture = pictureOf(rows, file?.analyses ?? [], {
        statistic,
        title,
        variables: result.variables,
      });
      if (picture) return toSvg(picture);
      throw new ClientError(
        'RESULT_INVALID',
        `Nothing of job ${jobId} has a picture; --job names the job file.`,
      );
    }
    case 'md':
    case 'table': {
      const heading = format === 'md' ? `# ${title}\n\n` : `${title}\n`;
      const source = provenanceText(state, result.provenance, format);
      return `${heading}${formatRows(rows, format)}\n\n${source}`;
    }
  }
}
