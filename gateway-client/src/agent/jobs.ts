import { AGGREGATE_TAKEOVER_MS, type JobAccess, type JobView } from '@strokeshare/chaincode';
import { FheError } from '@strokeshare/fhe';
import { StorageError } from '@strokeshare/storage-node';
import { LedgerError } from '../connect/index.js';
import { ClientError } from '../errors.js';
import { aggregateJob } from './aggregate.js';
import { requireCovered } from './agreements.js';
import { allPages, report, type AgentContext, type Step } from './context.js';
import { openCounts, postCountShares, postVerdict } from './counts.js';
import { evaluateJob } from './evaluate.js';
import { isExpected, waitFor } from './heard.js';
import { mayTakePart } from './inbox.js';
import { replayJob, type ReplayedJob } from './replay.js';
import { isTurn, stopJob } from './turns.js';
import { postValueShares } from './values.js';
import { dealOwnVector, releasesVector, undealt } from './vector.js';

/**
 * A job that could not be served is looked at again soon (a blob may have come, a refusal may have reached the own
 * peer), then after twice as long, and so on.
 */
const FIRST_REST_MS = 1_000;
const LONGEST_REST_MS = 60_000;
/** Errors that say something about the job, not about this agent or its connection. */
const ABOUT_THE_JOB = new Set<string>(['REPLAY_MISMATCH', 'POLICY_REFUSED', 'BUDGET_EXHAUSTED']);
/** What contracts say where somebody else did something wrong, or time went by: trying at once again does not help. */
const REFUSED_FOR_THE_JOB = new Set<string>([
  'BAD_BLOB',
  'BAD_REQUEST',
  'BAD_SHARE',
  'BLOB_MISSING',
  'COUNT_IMPLAUSIBLE',
  'DEADLINE_PASSED',
  'DISCLOSIVE',
  'HASH_MISMATCH',
  'HOLDERS_MISSING',
  'NOT_PERMITTED',
]);

/** Nobody is silent (any more), or too few holders are left to name another committee. */
const NONE_TO_REPLACE = new Set<string>(['ILLEGAL_STATE', 'HOLDERS_MISSING']);

/** Takes the next step of any job that this institution takes part in, as owner or as key holder. */
export const jobStep: Step = async (context, heard) => {
  if (!heard) return anyOpenJob(context);
  for (const [jobId, what] of heard) {
    const due = isExpected(context, jobId, what) && mayBeServed(context, jobId);
    const acted = due && (await takeStep(context, jobId));
    // What was done leaves an event, by which the job is looked at again.
    heard.delete(jobId);
    if (acted) return true;
  }
  return false;
};

async function anyOpenJob(context: AgentContext): Promise<boolean> {
  const { consortium, signal } = context;
  const jobs = await allPages((after) =>
    consortium.jobs.listOpen(after === undefined ? {} : { after }, { signal }),
  );
  const open = new Set(jobs.map(({ jobId }) => jobId));
  for (const kept of [context.evaluations, context.replays, context.setAside, context.expected])
    for (const jobId of kept.keys()) if (!open.has(jobId)) kept.delete(jobId);
  for (const jobId of open) if (mayBeServed(context, jobId) && (await takeStep(context, jobId))) return true;
  return false;
}

const mayBeServed = ({ setAside }: AgentContext, jobId: string): boolean =>
  Date.now() >= (setAside.get(jobId)?.until ?? 0);

/** A job that cannot be served is set aside for a while, and the others go on. */
async function takeStep(context: AgentContext, jobId: string): Promise<boolean> {
  try {
    return await advance(context, await context.consortium.jobs.get({ jobId }, { signal: context.signal }));
  } catch (error) {
    const aboutTheJob =
      error instanceof FheError ||
      error instanceof StorageError ||
      (error instanceof ClientError && ABOUT_THE_JOB.has(error.code)) ||
      (error instanceof LedgerError && REFUSED_FOR_THE_JOB.has(error.contractCode ?? ''));
    if (!aboutTheJob) throw error;
    const rest = restAfter(error, context.setAside.get(jobId)?.rest);
    context.setAside.set(jobId, { until: Date.now() + rest, rest });
    report(context, 'set aside', jobId, error.message);
    return false;
  }
}

/** What was posted wrongly stays so, and to compute it again costs as much as the first time. */
function restAfter(error: Error, before: number | undefined): number {
  const mayPass =
    error instanceof StorageError ||
    error instanceof LedgerError ||
    (error instanceof FheError && error.code === 'WORKER_FAILED');
  if (!mayPass) return LONGEST_REST_MS;
  return before === undefined ? FIRST_REST_MS : Math.min(2 * before, LONGEST_REST_MS);
}

async function advance(context: AgentContext, job: JobView): Promise<boolean> {
  switch (job.state) {
    case 'SUBMITTED':
    case 'EVALUATING':
      return advanceEvaluation(context, job);
    case 'AGGREGATED':
      return advanceCounts(context, job);
    case 'COUNTED':
      return advanceValues(context, job);
    default:
      return false;
  }
}

async function advanceEvaluation(context: AgentContext, job: JobView): Promise<boolean> {
  const { jobId, participants, posted, included = posted, postingDeadline, submittedAt } = job;
  if (!participants.includes(context.mspId)) return waitFor(context, job);
  const isSettled = Date.now() >= Date.parse(postingDeadline);
  if (!included.includes(context.mspId))
    return !isSettled && (await mayTakePart(context, job)) && evaluateJob(context, jobId);
  const isFirst = participants[0] === context.mspId;
  if (included.length < participants.length && !isSettled)
    return waitFor(context, job, isFirst ? participants.length - included.length : Infinity);
  // The first institution in MSP ID order adds up; participants are in that order. The others have to wait longer.
  const isLate = Date.now() >= Date.parse(submittedAt) + AGGREGATE_TAKEOVER_MS;
  const mayAdd = included[0] === context.mspId || isLate;
  const adds = mayAdd && isTurn(context, `aggregate ${jobId}`, included);
  return adds ? aggregateJob(context, jobId) : waitFor(context, job);
}

/** Has a committee that keeps the job waiting replaced, in line with the others who may. */
async function replaceSilent(
  context: AgentContext,
  { jobId, participants, committee = [], since, holderMinutes, round }: JobView,
): Promise<boolean> {
  if (Date.now() < Date.parse(since) + holderMinutes * 60_000) return false;
  const line = [...new Set([...committee.map(({ mspId }) => mspId), ...participants])];
  if (!isTurn(context, `replace ${jobId} ${round}`, line)) return false;
  try {
    const { state } = await context.consortium.jobs.replaceCommittee({ jobId }, { signal: context.signal });
    report(context, 'replace', jobId, `${state}: the committee was silent`);
    return true;
  } catch (error) {
    const isNone = error instanceof LedgerError && NONE_TO_REPLACE.has(error.contractCode ?? '');
    if (!isNone) throw error;
    return false;
  }
}

async function advanceCounts(context: AgentContext, job: JobView): Promise<boolean> {
  const { consortium, mspId, signal } = context;
  const { jobId, committee = [] } = job;
  const members = committee.map((holder) => holder.mspId);
  if (!members.includes(mspId)) return (await replaceSilent(context, job)) || waitFor(context, job);
  const shares = await consortium.jobs.shares({ jobId }, { signal });
  const lacking = (posted: Readonly<Record<string, unknown>>): string[] =>
    members.filter((member) => !Object.hasOwn(posted, member));
  const phase = [
    { missing: lacking(shares.countShares), post: postCountShares },
    { missing: lacking(shares.verdicts), post: postVerdict },
    { missing: lacking(shares.opened), post: openCounts },
  ].find(({ missing }) => missing.length > 0);
  if (!phase)
    return isTurn(context, `counts ${jobId}`, members) ? closeCounts(context, jobId) : waitFor(context, job);
  const { missing, post } = phase;
  if (!missing.includes(mspId))
    return (await replaceSilent(context, job)) || waitFor(context, job, missing.length);
  if (!(await mayTakePart(context, job))) return false;
  const access = await permitted(context, jobId, 'countRelease');
  if (!access) return false;
  await post(context, access, await replayed(context, access), shares);
  return true;
}

async function advanceValues(context: AgentContext, job: JobView): Promise<boolean> {
  const { consortium, mspId, signal } = context;
  const { jobId, committee = [] } = job;
  const members = committee.map((holder) => holder.mspId);
  if (!members.includes(mspId) && !releasesVector(job))
    return (await replaceSilent(context, job)) || waitFor(context, job);
  const shares = await consortium.jobs.shares({ jobId }, { signal });
  const waiting = undealt(job, shares);
  if (waiting.includes(mspId)) return dealVector(context, jobId);
  // Nothing can be summed before everybody has shared out their vectors.
  if (waiting.length > 0) return false;
  if (!members.includes(mspId)) return replaceSilent(context, job);
  if (!hasPassingValues(job) || members.every((member) => Object.hasOwn(shares.valueShares, member))) {
    if (!isTurn(context, `release ${jobId}`, members)) return false;
    const { state } = await consortium.jobs.closeRelease({ jobId }, { signal });
    report(context, 'values', jobId, `closed: ${state}`);
    return true;
  }
  if (Object.hasOwn(shares.valueShares, mspId)) return replaceSilent(context, job);
  if (!(await mayTakePart(context, job))) return false;
  const access = await permitted(context, jobId, 'valueRelease');
  if (!access) return false;
  await postValueShares(context, access, await replayed(context, access), shares);
  return true;
}

async function dealVector(context: AgentContext, jobId: string): Promise<boolean> {
  const access = await permitted(context, jobId, 'valueRelease');
  if (!access) return false;
  await dealOwnVector(context, access);
  return true;
}

function hasPassingValues(job: JobView): boolean {
  const { cells, outcomes } = job;
  return (
    releasesVector(job) ||
    cells.some(({ id, kind }) => kind === 'value' && outcomes?.[id]?.status === 'PASSED')
  );
}

async function closeCounts(context: AgentContext, jobId: string): Promise<boolean> {
  const { state } = await context.consortium.jobs.closeCounts({ jobId }, { signal: context.signal });
  report(context, 'counts', jobId, `closed: ${state}`);
  return true;
}

/** What a release step may rest on: the contract permits it now, and the agreement verifies here as well. */
async function permitted(
  context: AgentContext,
  jobId: string,
  step: 'countRelease' | 'valueRelease',
): Promise<JobAccess | undefined> {
  const access = await context.consortium.jobs.access({ jobId, step }, { signal: context.signal });
  if (!access.decision.allowed) {
    const { committee = [] } = access.job;
    await stopJob(
      context,
      jobId,
      committee.map((holder) => holder.mspId),
    );
    return undefined;
  }
  await requireCovered(context, access.job);
  return access;
}

/** Recomputed once per process: the ledger's hashes that it was compared with never change. */
function replayed(context: AgentContext, access: JobAccess): Promise<ReplayedJob> {
  const { jobId } = access.job;
  let replay = context.replays.get(jobId);
  if (!replay) {
    replay = replayJob(context, access);
    context.replays.set(jobId, replay);
    replay.catch(() => context.replays.delete(jobId));
  }
  return replay;
}
