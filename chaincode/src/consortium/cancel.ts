/** A researcher gives a job up. */
import { type CancelJob, type JobView } from '../api/jobs.js';
import { ContractError } from '../errors.js';
import { researcherIdOf } from '../ledger/caller.js';
import { type Transaction } from '../ledger/transaction.js';
import { openJob } from './jobState.js';
import { storeState } from './jobSteps.js';

/** What was reserved stays charged: holders may have computed shares already. */
export async function cancel(transaction: Transaction, { jobId, reason }: CancelJob): Promise<JobView> {
  const job = await openJob(transaction, jobId, ['SUBMITTED', 'AGGREGATED', 'COUNTED']);
  if (job.researcherId !== researcherIdOf(transaction.caller))
    throw new ContractError('NOT_A_PARTY', `The job ${jobId} is another researcher's.`);
  const cancellation = { reason, at: transaction.at };
  return { ...(await storeState(transaction, { ...job, cancellation }, 'CANCELLED')), posted: [] };
}
