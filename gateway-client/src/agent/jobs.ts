import type { JobAccess, JobView } from '@strokeshare/chaincode';
import { aggregateJob } from './aggregate.js';
import { requireAgreement } from './agreements.js';
import { allPages, report, type AgentContext, type Step } from './context.js';
import { openCounts, postCountShares, postVerdict } from './counts.js';
import { evaluateJob } from './evaluate.js';
import { replayJob, type ReplayedJob } from './replay.js';
import { postValueShares } from './values.js';

const ENDED = new Set(['RELEASED', 'SUPPRESSED', 'REFUSED', 'FAILED']);

/** Takes the next step of any job that this institution takes part in, as owner or as key holder. */
export const jobStep: Step = async (context) => {
  const { consortium, signal } = context;
  const jobs = await allPages((after) =>
    consortium.jobs.list(after === undefined ? {} : { after }, { signal }),
  );
  for (const { jobId, state } of jobs) {
    if (ENDED.has(state)) context.replays.delete(jobId);
    else if (await advance(context, await consortium.jobs.get({ jobId }, { signal }))) return true;
  }
  return false;
};

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

async function advanceEvaluation(
  context: AgentContext,
  { jobId, participants, posted }: JobView,
): Promise<boolean> {
  if (!participants.includes(context.mspId)) return false;
  if (!posted.includes(context.mspId)) return evaluateJob(context, jobId);
  // The first institution in MSP ID order adds up; participants are in that order.
  return (
    posted.length === participants.length && participants[0] === context.mspId && aggregateJob(context, jobId)
  );
}

async function advanceCounts(context: AgentContext, { jobId, committee = [] }: JobView): Promise<boolean> {
  const { consortium, mspId, signal } = context;
  const members = committee.map((holder) => holder.mspId);
  if (!members.includes(mspId)) return false;
  const shares = await consortium.jobs.shares({ jobId }, { signal });
  const all = (posted: Readonly<Record<string, unknown>>): boolean =>
    members.every((member) => member in posted);
  if (all(shares.opened)) return members[0] === mspId && closeCounts(context, jobId);
  const due = !(mspId in shares.countShares)
    ? postCountShares
    : all(shares.countShares) && !(mspId in shares.verdicts)
      ? postVerdict
      : all(shares.verdicts) && !(mspId in shares.opened)
        ? openCounts
        : undefined;
  const access = due && (await permitted(context, jobId, 'countRelease'));
  if (!access) return false;
  await due(context, access, await replayed(context, access), shares);
  return true;
}

async function advanceValues(context: AgentContext, job: JobView): Promise<boolean> {
  const { consortium, mspId, signal } = context;
  const { jobId, committee = [] } = job;
  const members = committee.map((holder) => holder.mspId);
  if (!members.includes(mspId)) return false;
  const shares = await consortium.jobs.shares({ jobId }, { signal });
  if (!hasPassingValues(job) || members.every((member) => member in shares.valueShares)) {
    if (members[0] !== mspId) return false;
    const { state } = await consortium.jobs.closeRelease({ jobId }, { signal });
    report(context, 'values', jobId, `closed: ${state}`);
    return true;
  }
  if (mspId in shares.valueShares) return false;
  const access = await permitted(context, jobId, 'valueRelease');
  if (!access) return false;
  await postValueShares(context, access, await replayed(context, access), shares);
  return true;
}

function hasPassingValues({ cells, outcomes }: JobView): boolean {
  return cells.some(({ id, kind }) => kind === 'value' && outcomes?.[id]?.status === 'PASSED');
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
  if (!access.decision.allowed) return undefined;
  await requireAgreement(context, access.job.agreementId, access.job.agreementDigest);
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
