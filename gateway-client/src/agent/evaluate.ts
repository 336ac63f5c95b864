import { chunksThatFit, evaluationLoad, type JobAccess } from '@strokeshare/chaincode';
import { blobHash, workOf } from '@strokeshare/fhe';
import { LedgerError } from '../connect/index.js';
import { ClientError } from '../errors.js';
import { planOfJob, type JobPlan } from '../job/plan.js';
import { requireCovered } from './agreements.js';
import { epochKeys, report, type AgentContext } from './context.js';
import { batchesOf, readBatch, readColumns, type CheckedBatch } from './job-blobs.js';
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
  const batches = await batchesOf(context, access, mspId);

  const [local, onLedger] = await Promise.all([
    evaluateHere(context, access, jobPlan, cells, batches),
    evaluateOnLedger(context, access, jobPlan, cells, batches),
  ]);
  const partials: Record<string, string> = {};
  for (const cell of cells) {
    const blob = local.get(cell);
    const hash = blob && blobHash(blob);
    if (!blob || hash !== onLedger.get(cell)) {
      throw new ClientError(
        'REPLAY_MISMATCH',
        `The contract of ${mspId} and its agent evaluated cell ${cell} of job ${jobId} to different bytes.`,
      );
    }
    partials[cell] = await store.put(blob);
  }
  context.evaluations.set(jobId, local);
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
      const count = counts.get(cell.countCell) ?? 0;
      if (count < minimumOwnCount) return true;
      const isSum = cell.kind === 'value' && count > 0;
      return isSum && isDominated(contributionsTo(cell, plan, batches), dominancePercent);
    })
    .map(({ id }) => id);
}

async function evaluateHere(
  context: AgentContext,
  { epoch }: JobAccess,
  { plan, set }: JobPlan,
  cells: readonly string[],
  batches: readonly CheckedBatch[],
): Promise<Map<string, Uint8Array>> {
  if (cells.length === 0) return new Map();
  const evaluator = await context.evaluators.forEvaluation(set, epochKeys(context, epoch));
  const { columns } = workOf(plan, cells);
  return evaluator.evaluate(
    { plan, cells, epochId: epoch.epochId, batches: readColumns(context, batches, columns) },
    { signal: context.signal },
  );
}

async function evaluateOnLedger(
  context: AgentContext,
  { job, epoch }: JobAccess,
  { plan, set }: JobPlan,
  cells: readonly string[],
  batches: readonly CheckedBatch[],
): Promise<Map<string, string>> {
  const hashes = new Map<string, string>();
  const chunks = chunksThatFit(cells, (part) => evaluationLoad(plan, part, batches.length, set));
  for (const part of chunks) {
    const transient = await transientColumns(context, batches, workOf(plan, part).columns);
    const submit = (data: Record<string, Uint8Array>) =>
      context.records.records.evaluate(
        { jobId: job.jobId, cells: part },
        { transient: data, endorsingOrganizations: [context.mspId], signal: context.signal },
      );
    const { partials } = await submit(transient).catch(async (error: unknown) => {
      // The contract's process has not seen this epoch's key yet (or was restarted).
      if (!(error instanceof LedgerError && error.contractCode === 'KEY_NEEDED')) throw error;
      return submit({ ...transient, relinKeys: await context.store.get(epoch.relinKeysHash) });
    });
    for (const [cell, hash] of Object.entries(partials)) hashes.set(cell, hash);
  }
  return hashes;
}

async function transientColumns(
  context: AgentContext,
  batches: readonly CheckedBatch[],
  columns: readonly string[],
): Promise<Record<string, Uint8Array>> {
  const transient: Record<string, Uint8Array> = {};
  for (const batch of batches) {
    for (const [name, blob] of await readBatch(context, batch, columns)) {
      transient[`column/${batch.datasetId}/${batch.batchId}/${name}`] = blob;
    }
  }
  return transient;
}
