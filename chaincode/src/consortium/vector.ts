/**
 * A regression's vector: every institution in the sums shares its own out among the holders of the key, sealed to each.
 * Nothing is shared out before the count of its patients has passed.
 */
import { type DealVector, type Job, type JobStep } from '../api/jobs.js';
import { ContractError } from '../errors.js';
import { epochRecords, jobDealt } from '../ledger/kinds.js';
import { type Ledger } from '../ledger/ledger.js';
import { type Transaction } from '../ledger/transaction.js';
import { hasPassingVector, openJob, requireSame, undealt } from './jobState.js';
import { permitted } from './jobSteps.js';

/** Takes one institution's shares, one for each member of the key epoch. */
export async function dealVector(transaction: Transaction, request: DealVector): Promise<JobStep> {
  const { ledger, caller, at } = transaction;
  const { jobId, sealed } = request;
  const job = await openJob(transaction, jobId, ['COUNTED']);
  if (!job.included?.includes(caller.mspId))
    throw new ContractError('NOT_A_PARTY', `${caller.mspId} is not in the sums of the job ${jobId}.`);
  return permitted(transaction, job, 'valueRelease', async () => {
    if (!hasPassingVector(job))
      throw new ContractError('ILLEGAL_STATE', `The job ${jobId} has no vector to share out.`);
    const { members } = await ledger.get(epochRecords, job.epochId);
    requireSame(Object.keys(sealed), members, 'The shares of the vector');
    await ledger.createOnce(jobDealt, { sealed, at }, jobId, caller.mspId);
    return job.state;
  });
}

/**
 * A holder's sum is sealed once everybody's shares are there, and by no holder where there is nothing to sum.
 *
 * @throws ContractError SHARES_MISSING, BAD_REQUEST
 */
export async function requireSum(ledger: Ledger, job: Job, sealedVector: string | undefined): Promise<void> {
  if (hasPassingVector(job) !== (sealedVector !== undefined))
    throw new ContractError(
      'BAD_REQUEST',
      'A share of a vector belongs to jobs that release one, and to all of them.',
    );
  const missing = await undealt(ledger, job);
  if (missing.length > 0)
    throw new ContractError('SHARES_MISSING', `${missing.join(', ')} has not shared out its vector.`);
}
