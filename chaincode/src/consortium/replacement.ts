/** A silent committee is replaced: the job goes on with other holders, and the key epoch's budget is charged anew. */
import { type DecisionStep } from '../api/decisions.js';
import { type Job, type JobStep } from '../api/jobs.js';
import { ContractError } from '../errors.js';
import { epochRecords, jobRecords } from '../ledger/kinds.js';
import { type Transaction } from '../ledger/transaction.js';
import { chargeAgain, readReserved, shardCapacity } from '../permission/budgets.js';
import { committeeOf } from './aggregate.js';
import { openJob, silentHolders } from './jobState.js';
import { permitted } from './jobSteps.js';

const MINUTE_MS = 60_000;

/**
 * Names another committee: the first t holders that are members still and were never silent in this job. What the
 * former one posted stays on the ledger and counts no more.
 * @throws ContractError NOT_A_PARTY, ILLEGAL_STATE where nobody is silent, TOO_EARLY, HOLDERS_MISSING
 */
export async function replaceCommittee(
  transaction: Transaction,
  { jobId }: { jobId: string },
): Promise<JobStep> {
  const { ledger, caller, now, at } = transaction;
  const job = await openJob(transaction, jobId, ['AGGREGATED', 'COUNTED']);
  const epoch = await ledger.get(epochRecords, job.epochId);
  if (!job.participants.includes(caller.mspId) && !epoch.members.includes(caller.mspId))
    throw new ContractError('NOT_A_PARTY', `${caller.mspId} takes no part in the job ${jobId}.`);
  const silent = await silentHolders(ledger, job);
  if (silent.length === 0)
    throw new ContractError('ILLEGAL_STATE', `No holder of the job ${jobId} keeps it waiting.`);
  if (now < Date.parse(job.since) + job.holderMinutes * MINUTE_MS)
    throw new ContractError(
      'TOO_EARLY',
      `The holders of the job ${jobId} have ${job.holderMinutes} minutes from ${job.since} on.`,
    );
  const needed = coefficientsLeft(job);
  const { epoch: reserved } = await readReserved(ledger, job.agreementId, job.epochId, jobId);
  const step: DecisionStep = job.state === 'COUNTED' ? 'valueRelease' : 'countRelease';
  const replace = async (): Promise<Job['state']> => {
    const without = { ...job, silent: [...job.silent, ...silent] };
    const committee = await committeeOf(ledger, without);
    await chargeAgain(ledger, job, reserved, needed);
    await ledger.put(jobRecords, { ...without, committee, round: job.round + 1, since: at }, jobId);
    return job.state;
  };
  return permitted(transaction, job, step, replace, { needed, epochLeft: shardCapacity(epoch) - reserved });
}

/** What the new committee will share: everything, or the values whose counts passed. */
function coefficientsLeft({ state, cells, outcomes }: Job): number {
  if (state !== 'COUNTED') return cells.length;
  return cells.filter(({ id, kind }) => kind === 'value' && outcomes?.[id]?.status === 'PASSED').length;
}
