import { comparisonsOf, type JobAccess } from '@strokeshare/chaincode';
import { parameterSetById, plan, type AnalysisPlan, type ParameterSet } from '@strokeshare/fhe';
import { ClientError } from '../errors.js';

/** A job's plan, made anew from what the ledger says, with the parameter set that it is made for. */
export interface JobPlan {
  plan: AnalysisPlan;
  set: ParameterSet;
}

/**
 * Makes the plan of a job from the query, the datasets' schemas and the key epoch, and compares its hash with the one
 * that the contract put on the job. Everybody who works on a job or reads its result does this for themselves.
 *
 * @throws ClientError `REPLAY_MISMATCH` when the plans differ; FheError when the query has no plan.
 */
export function planOfJob({ job, epoch, datasets }: JobAccess): JobPlan {
  const set = parameterSetById(epoch.parameterSetId);
  const made = plan(
    job.query,
    datasets.map(({ schema }) => schema),
    set,
    {
      holders: epoch.members.length,
      threshold: epoch.threshold,
      institutions: job.participants.length,
      batches: datasets.reduce((sum, { batches }) => sum + batches.length, 0),
    },
    undefined,
    comparisonsOf(job.cells),
  );
  if (made.hash !== job.planHash) {
    throw new ClientError(
      'REPLAY_MISMATCH',
      `The plan of job ${job.jobId} has the hash ${made.hash} here and ${job.planHash ?? 'none'} on the ledger.`,
    );
  }
  return { plan: made, set };
}
