/** Evaluation on the ledger, in as many transactions as it takes, beside the same arithmetic here. */
import { type EvaluateResponse, type EvaluationPart, type JobAccess } from '@strokeshare/chaincode';
import { blobHash, workOf } from '@strokeshare/fhe';
import { LedgerError } from '../connect/index.js';
import { ClientError } from '../errors.js';
import type { JobPlan } from '../job/plan.js';
import { epochKey, epochKeys, type AgentContext } from './context.js';
import { readBatch, readColumns, type CheckedBatch } from './job-blobs.js';

/**
 * Has the contract evaluate cells over the own batches.
 *
 * @param parts - which cells over which batches, in an order in which every stretch follows the one before.
 * @param batches - all of them, in the ledger's order.
 * @returns the partials' hashes as the contract found them, by cell.
 * @throws ClientError `REPLAY_MISMATCH` where a running sum is another one here.
 */
export async function evaluateOnLedger(
  context: AgentContext,
  access: JobAccess,
  jobPlan: JobPlan,
  parts: readonly EvaluationPart[],
  batches: readonly CheckedBatch[],
): Promise<Map<string, string>> {
  const { plan } = jobPlan;
  const hashes = new Map<string, string>();
  /** Sums over the batches so far, of cells that are too much for one transaction. */
  let running = new Map<string, Uint8Array>();
  for (const part of parts) {
    const stretch = batches.slice(part.from, part.until);
    const last = part.until === batches.length;
    const transient = await transientColumns(context, stretch, workOf(plan, part.cells).columns);
    if (part.from > 0) for (const [cell, blob] of running) transient[`running/${cell}`] = blob;
    const answer = await submitPart(context, access, part, transient);
    if (last) {
      for (const [cell, hash] of Object.entries(answer.partials)) hashes.set(cell, hash);
      continue;
    }
    const before = part.from > 0 ? running : undefined;
    running = await evaluateStretch(context, access, jobPlan, part, stretch, before);
    for (const [cell, blob] of running) {
      if (answer.running?.[cell] === blobHash(blob)) continue;
      throw differs(context, cell, access.job.jobId);
    }
  }
  return hashes;
}

async function submitPart(
  context: AgentContext,
  { job, epoch }: JobAccess,
  part: EvaluationPart,
  transient: Record<string, Uint8Array>,
): Promise<EvaluateResponse> {
  const { mspId, records, signal } = context;
  const { cells, from, until } = part;
  const submit = (data: Record<string, Uint8Array>) =>
    records.records.evaluate(
      { jobId: job.jobId, cells: [...cells], from, until },
      { transient: data, endorsingOrganizations: [mspId], signal },
    );
  return submit(transient).catch(async (error: unknown) => {
    // The contract's process has not seen this epoch's key yet (or was restarted).
    if (!(error instanceof LedgerError && error.contractCode === 'KEY_NEEDED')) throw error;
    return submit({ ...transient, relinKeys: await epochKey(context, epoch, epoch.relinKeysHash) });
  });
}

/** The running sums behind a stretch of batches, which the next transaction takes as transient data. */
async function evaluateStretch(
  context: AgentContext,
  { epoch }: JobAccess,
  { plan, set }: JobPlan,
  { cells }: EvaluationPart,
  stretch: readonly CheckedBatch[],
  running: ReadonlyMap<string, Uint8Array> | undefined,
): Promise<Map<string, Uint8Array>> {
  const evaluator = await context.evaluators.forEvaluation(set, epochKeys(context, epoch));
  const { columns } = workOf(plan, cells);
  const batches = readColumns(context, stretch, columns);
  return evaluator.evaluatePart(
    { plan, cells, epochId: epoch.epochId, batches, running, last: false },
    { signal: context.signal },
  );
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

export const differs = ({ mspId }: AgentContext, cell: string, jobId: string): ClientError =>
  new ClientError(
    'REPLAY_MISMATCH',
    `The contract of ${mspId} and its agent evaluated cell ${cell} of job ${jobId} to different bytes.`,
  );
