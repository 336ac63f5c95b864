/** Release of values: shares sealed to the researcher, then the job closes. */
import { type Job, type JobStep, type JobView, type PostValueShares } from '../api/jobs.js';
import { ContractError } from '../errors.js';
import { jobValueShares } from '../ledger/kinds.js';
import { type Transaction } from '../ledger/transaction.js';
import { requireAll } from './countGate.js';
import { hasPassingVector, openJob, requireHolder, roundKeys } from './jobState.js';
import { permitted, storeState } from './jobSteps.js';
import { requireSum } from './vector.js';

export async function postValueShares(transaction: Transaction, request: PostValueShares): Promise<JobStep> {
  const { ledger, caller, at } = transaction;
  const { jobId, ...posted } = request;
  const job = await openJob(transaction, jobId, ['COUNTED']);
  requireHolder(job, caller.mspId);
  if (!hasPassingValues(job))
    throw new ContractError('ILLEGAL_STATE', `The job ${jobId} has no value to release.`);
  return permitted(transaction, job, 'valueRelease', async () => {
    await requireSum(ledger, job, posted.sealedVector);
    await ledger.createOnce(jobValueShares, { ...posted, at }, ...roundKeys(job), caller.mspId);
    return job.state;
  });
}

export async function closeRelease(transaction: Transaction, { jobId }: { jobId: string }): Promise<JobView> {
  const { ledger, caller } = transaction;
  const job = await openJob(transaction, jobId, ['COUNTED']);
  requireHolder(job, caller.mspId);
  if (hasPassingValues(job)) await requireAll(ledger, jobValueShares, job);
  const passed = Object.values(job.outcomes ?? {}).some(({ status }) => status === 'PASSED');
  const closed = await storeState(transaction, job, passed ? 'RELEASED' : 'SUPPRESSED');
  return { ...closed, posted: closed.included ?? [] };
}

const hasPassingValues = (job: Job): boolean =>
  hasPassingVector(job) ||
  job.cells.some(({ id, kind }) => kind === 'value' && job.outcomes?.[id]?.status === 'PASSED');
