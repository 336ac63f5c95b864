/** Evaluation on the ledger, in as many transactions as it takes, beside the same arithmetic here. */
import { type EvaluateResponse, type EvaluationPart, type JobAccess } from '@strokeshare/chaincode';
import { blobHash, workOf, type BatchBlobs } from '@strokeshare/fhe';
import { LedgerError } from '../connect/index.js';
import { ClientError } from '../errors.js';
import type { JobPlan } from '../job/plan.js';
import { epochKey, epochKeys, type AgentContext } from './context.js';
import { readBatch, type CheckedBatch } from './job-blobs.js';

/**
 * Evaluates cells over the own batches, part by part: in the contract and, at the same time, here.
 *
 * @param parts - which cells over which batches, in an order in which every stretch follows the one before.
 * @param batches - all of them, in the ledger's order.
 * @returns the partials by cell: the contract has found the same bytes.
 * @throws ClientError `REPLAY_MISMATCH` where it found others, of a partial or of a running sum.
 */
export async function evaluateTwice(
  context: AgentContext,
  access: JobAccess,
  jobPlan: JobPlan,
  parts: readonly EvaluationPart[],
  batches: readonly CheckedBatch[],
): Promise<Map<string, Uint8Array>> {
  const partials = new Map<string, Uint8Array>();
  /** Sums over the batches so far, of cells that are too much for one transaction. */
  let running = new Map<string, Uint8Array>();
  for (const part of parts) {
    const { columns } = workOf(jobPlan.plan, part.cells);
    const stretch = batches.slice(part.from, part.until);
    // Read once, for both: what one transaction carries is little.
    const blobs = await Promise.all(stretch.map((batch) => readBatch(context, batch, columns)));
    const before = part.from > 0 ? running : undefined;
    const last = part.until === batches.length;
    const [made, answer] = await Promise.all([
      evaluateHere(context, access, jobPlan, part.cells, blobs, before, last),
      submitPart(context, access, part, transientOf(stretch, blobs, before)),
    ]);
    const stated = last ? answer.partials : (answer.running ?? {});
    for (const cell of part.cells) {
      const blob = made.get(cell);
      if (!blob || stated[cell] !== blobHash(blob)) throw differs(context, cell, access.job.jobId);
      if (last) partials.set(cell, blob);
    }
    if (!last) running = made;
  }
  return partials;
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

/** The same arithmetic in this process: partials of what is one stretch or the last of several, else running sums. */
async function evaluateHere(
  context: AgentContext,
  { epoch }: JobAccess,
  { plan, set }: JobPlan,
  cells: readonly string[],
  batches: readonly BatchBlobs[],
  running: ReadonlyMap<string, Uint8Array> | undefined,
  last: boolean,
): Promise<Map<string, Uint8Array>> {
  const evaluator = await context.evaluators.forEvaluation(set, epochKeys(context, epoch));
  const request = { plan, cells, epochId: epoch.epochId, batches };
  const options = { signal: context.signal };
  // What is whole is shared out among the workers.
  return last && !running
    ? evaluator.evaluate(request, options)
    : evaluator.evaluatePart({ ...request, running, last }, options);
}

function transientOf(
  stretch: readonly CheckedBatch[],
  blobs: readonly BatchBlobs[],
  running: ReadonlyMap<string, Uint8Array> = new Map(),
): Record<string, Uint8Array> {
  const transient: Record<string, Uint8Array> = {};
  for (const [i, { datasetId, batchId }] of stretch.entries())
    for (const [name, blob] of blobs[i] ?? []) transient[`column/${datasetId}/${batchId}/${name}`] = blob;
  for (const [cell, blob] of running) transient[`running/${cell}`] = blob;
  return transient;
}

const differs = ({ mspId }: AgentContext, cell: string, jobId: string): ClientError =>
  new ClientError(
    'REPLAY_MISMATCH',
    `The contract of ${mspId} and its agent evaluated cell ${cell} of job ${jobId} to different bytes.`,
  );
