/** A job that is no longer permitted ends on the ledger, whoever of its parties notices first. */
import { type DecisionStep } from '../api/decisions.js';
import { type Job, type JobStep } from '../api/jobs.js';
import { ContractError } from '../errors.js';
import { type Transaction } from '../ledger/transaction.js';
import { openJob } from './jobState.js';
import { permitted } from './jobSteps.js';

const nextStep: Partial<Record<Job['state'], DecisionStep>> = {
  SUBMITTED: 'evaluate',
  AGGREGATED: 'countRelease',
  COUNTED: 'valueRelease',
};

/** @throws ContractError ILLEGAL_STATE where the next step is permitted; NOT_A_PARTY */
export async function stop(transaction: Transaction, { jobId }: { jobId: string }): Promise<JobStep> {
  const { mspId } = transaction.caller;
  const job = await openJob(transaction, jobId, ['SUBMITTED', 'AGGREGATED', 'COUNTED']);
  if (!job.participants.includes(mspId) && !job.committee?.some((holder) => holder.mspId === mspId))
    throw new ContractError('NOT_A_PARTY', `${mspId} takes no part in the job ${jobId}.`);
  return permitted(transaction, job, nextStep[job.state] ?? 'evaluate', () =>
    Promise.reject(new ContractError('ILLEGAL_STATE', `The next step of the job ${jobId} is permitted.`)),
  );
}
