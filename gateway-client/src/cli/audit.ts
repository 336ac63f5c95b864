import { auditSubjects, type AuditEntry, type ListAudit } from '@strokeshare/chaincode';
import { Command, InvalidArgumentError } from 'commander';
import { Evaluators, openAgent, replayJob } from '../agent/index.js';
import { auditorClient, connectLedger, readProfile, type AuditorClient } from '../connect/index.js';
import { Resources } from '../resources.js';
import { agentOption, profileOption, withExample, type AgentFlags } from './options.js';
import { print } from './print.js';

interface ListFlags {
  profile: string;
  about?: NonNullable<ListAudit['about']>;
  from?: string;
  until?: string;
  json?: boolean;
}

const PAGE = 100;
/** Threads that evaluate again. */
const WORKERS = 2;

/** `strokeshare audit ...`: who asked what, what was released, from what, and whether it can be computed again. */
export function auditCommand(signal: AbortSignal): Command {
  const audit = new Command('audit').description(
    'who asked what, what was decided and released, and from what',
  );

  withExample(audit.command('list'), 'audit list --about dataset=ist-hospital1 --profile agent.json')
    .description('list decisions, refusals, releases and changes of rights in the order of time')
    .addOption(profileOption())
    .option('--about <subject=id>', `what it is about: ${auditSubjects.join(', ')}`, subjectOf)
    .option('--from <instant>', 'the first instant, 2026-11-22T00:00:00Z')
    .option('--until <instant>', 'the first instant after the period')
    .option('--json', 'print every entry as a line of JSON')
    .action((flags: ListFlags) => list(flags, signal));

  withExample(
    audit.command('lineage <job>'),
    'audit lineage aspirin-and-death-1a2b3c4d --profile researcher.json',
  )
    .description("print what a job's result was made from, by whom and under what, as W3C PROV-JSON")
    .addOption(profileOption())
    .action(async (jobId: string, { profile }: { profile: string }) => {
      await using resources = new Resources();
      const client = await openAuditor(profile, resources);
      console.log(JSON.stringify(await client.audit.lineage({ jobId }, { signal }), undefined, 2));
    });

  withExample(audit.command('replay <job>'), 'audit replay aspirin-and-death-1a2b3c4d --agent ./agent')
    .description("evaluate a job again from the ciphertexts and compare every hash with the ledger's")
    .addOption(agentOption())
    .option('--json', 'print it as JSON')
    .action((jobId: string, flags: AgentFlags) => replay(jobId, flags, signal));
  return audit;
}

function subjectOf(text: string): NonNullable<ListAudit['about']> {
  const at = text.indexOf('=');
  const subject = auditSubjects.find((name) => name === text.slice(0, at));
  const id = text.slice(at + 1);
  if (at < 1 || subject === undefined || id === '')
    throw new InvalidArgumentError(`write one of ${auditSubjects.join(', ')}, then = and the id.`);
  return { subject, id };
}

async function openAuditor(path: string, resources: Resources): Promise<AuditorClient> {
  return auditorClient(resources.use(await connectLedger(await readProfile(path))));
}

async function list({ profile, about, from, until, json }: ListFlags, signal: AbortSignal): Promise<void> {
  await using resources = new Resources();
  const client = await openAuditor(profile, resources);
  const query = {
    limit: PAGE,
    ...(about && { about }),
    ...(from !== undefined && { from }),
    ...(until !== undefined && { until }),
  };
  let after: string | undefined;
  do {
    const page = await client.audit.list({ ...query, ...(after !== undefined && { after }) }, { signal });
    for (const entry of page.items) console.log(json ? JSON.stringify(entry) : lineOf(entry));
    after = page.next;
  } while (after !== undefined);
}

/** One entry on one line: when, what, who, about what, and with what outcome. */
export function lineOf(entry: AuditEntry): string {
  const { at, kind, transaction, by, jobId, agreement, datasets, state, refusal, released, reason } = entry;
  return [
    at,
    kind.padEnd(8),
    transaction,
    `by ${by.mspId}/${by.subject}`,
    jobId !== undefined && `job ${jobId}`,
    agreement && `agreement ${agreement.agreementId} version ${agreement.version}`,
    !agreement && datasets.length > 0 && `datasets ${datasets.join(', ')}`,
    state,
    released !== undefined && `${released} cells`,
    refusal && `${refusal.code}: ${refusal.reason}`,
    reason !== undefined && `"${reason}"`,
  ]
    .filter(Boolean)
    .join('  ');
}

async function replay(
  jobId: string,
  { agent: folder, ...flags }: AgentFlags,
  signal: AbortSignal,
): Promise<void> {
  await using resources = new Resources();
  const evaluators = resources.use(new Evaluators(WORKERS));
  const report = (): void => undefined;
  const { context } = resources.use(await openAgent(folder, { evaluators, signal, report }));
  const access = await context.consortium.jobs.access({ jobId, step: 'evaluate' }, { signal });
  const { aggregates, plan } = await replayJob(context, access);
  const { participants } = access.job;
  print(flags, { jobId, cells: aggregates.size, participants, planHash: plan.hash }, () => [
    `${jobId}: ${aggregates.size} cells of ${participants.length} institutions give the hashes on the ledger; plan ${plan.hash}`,
  ]);
}
