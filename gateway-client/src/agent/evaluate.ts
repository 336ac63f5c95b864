import { evaluationParts, type JobAccess } from '@strokeshare/chaincode';
import { ClientError } from '../errors.js';
import { planOfJob, type JobPlan } from '../job/plan.js';
import { requireCovered } from './agreements.js';
import { report, type AgentContext } from './context.js';
import { evaluateTwice } from './evaluate-parts.js';
import { batchesOf, type CheckedBatch } from './job-blobs.js';
import { contributionsTo, isDominated } from './dominance.js';
import { ownBatches, ownCounts } from './own-records.js';
import { stopJob } from './turns.js';

/** How far the ledger's clock may be from this institution's. */
const CLOCK_SKEW_MS = 15 * 60 * 1000;

/**
 * Evaluates a job on the own batches: in the contract on the private channel, endorsed by the own peer, and here with
 * the same code; both must give the same bytes. Then posts the hashes and names the cells that are withheld.
 */
export async function evaluateJob(context: AgentContext, jobId: string): Promise<boolean> {
  const { consortium, mspId, store, signal } = context;
  const access = await consortium.jobs.access({ jobId, step: 'evaluate' }, { signal });
  if (!access.decision.allowed) return stopJob(context, jobId, access.job.participants);
  const { job } = access;
  await requireCovered(context, job);
  const now = Date.now();
  if (Date.parse(job.submittedAt) > now + CLOCK_SKEW_MS || Date.parse(job.deadline) < now - CLOCK_SKEW_MS) {
    throw new ClientError(
      'POLICY_REFUSED',
      `Job ${jobId} runs from ${job.submittedAt} to ${job.deadline}, and it is another time here.`,
    );
  }
  const jobPlan = planOfJob(access);
  const withheld = await withheldCells(context, access, jobPlan);
  const cells = jobPlan.plan.cells.map(({ id }) => id).filter((id) => !withheld.includes(id));
  const batches = inLedgerOrder(access, mspId, await batchesOf(context, access, mspId));

  const parts = evaluationParts(jobPlan.plan, cells, batches.length, jobPlan.set);
  const evaluated = await evaluateTwice(context, access, jobPlan, parts, batches);
  const partials: Record<string, string> = {};
  for (const [cell, blob] of evaluated) partials[cell] = await store.put(blob);
  context.evaluations.set(jobId, evaluated);
  await consortium.jobs.postPartials({ jobId, partials, withheld }, { signal });
  const note = withheld.length === 0 ? '' : `, withheld ${withheld.length}`;
  report(context, 'evaluate', jobId, `posted ${cells.length} partials${note}`);
  return true;
}

/**
 * Cells in which the institution has fewer own patients than its own minimum, and the values over them; and values
 * that one own patient dominates.
 */
async function withheldCells(context: AgentContext, access: JobAccess, { plan }: JobPlan): Promise<string[]> {
  const own = access.datasets
    .filter(({ owner }) => owner === context.mspId)
    .flatMap(({ datasetId, batches }) => batches.map(({ batchId }) => ({ datasetId, batchId })));
  const counts = await ownCounts(context, plan, own);
  const batches = await ownBatches(context, plan, own);
  const { minimumOwnCount, dominancePercent } = context.policy;
  return plan.cells
    .filter((cell) => {
      // Nobody but the committee learns this count, and only over all institutions.
      if (cell.comparison) return false;
      const count = counts.get(cell.countCell) ?? 0;
      if (count < minimumOwnCount) return true;
      const isSum = cell.kind === 'value' && count > 0;
      return isSum && isDominated(contributionsTo(cell, plan, batches), dominancePercent);
    })
    .map(({ id }) => id);
}

/** In the order of the ledger, by which stretches are named. */
function inLedgerOrder(
  { datasets }: JobAccess,
  owner: string,
  batches: readonly CheckedBatch[],
): CheckedBatch[] {
  const own = datasets.filter((dataset) => dataset.owner === owner);
  return own.flatMap((dataset) =>
    dataset.batches.flatMap(({ batchId }) =>
      batches.filter((batch) => batch.datasetId === dataset.datasetId && batch.batchId === batchId),
    ),
  );
}
