/**
 * Evaluation of a job's cells on the caller's batches. The job and the permission are read from the consortium channel
 * (outside the read set), so posting and release decide again; ciphertexts are matched with the batches' hashes here
 * and the batches' roots with the dataset's entry there.
 */
import { type AnalysisPlan, blobHash, parameterSet, workOf } from '@strokeshare/fhe';
import { type Batch } from '../api/batches.js';
import { type JobAccess, jobAccess } from '../api/jobs.js';
import { type Evaluate, type EvaluateResponse } from '../api/records.js';
import { consortium } from '../api/transactions.js';
import { ContractError } from '../errors.js';
import { requireConfirmed } from '../endorsement/sharing.js';
import { assertTransientSize, transientBlob } from '../evaluation/blobs.js';
import { compute, evaluatorFor, holdRelinKeys, whenFree } from '../evaluation/evaluators.js';
import { evaluationLoad, fits } from '../evaluation/limits.js';
import { planOf } from '../evaluation/plan.js';
import { readAcross } from '../ledger/acrossChannels.js';
import { batches as batchRecords, evaluations } from '../ledger/kinds.js';
import { type Transaction } from '../ledger/transaction.js';
import { requireState } from '../states/machine.js';

const CONSORTIUM = 'consortium';
const RELIN_KEYS = 'relinKeys';

export async function evaluate(
  transaction: Transaction,
  { jobId, cells }: Evaluate,
): Promise<EvaluateResponse> {
  const access = await readAccess(transaction, jobId);
  requireParticipant(transaction, access);
  const plan = submittedPlan(access);
  const known = new Set(plan.cells.map(({ id }) => id));
  const unknown = cells.find((cell) => !known.has(cell));
  if (unknown !== undefined) throw new ContractError('BAD_REQUEST', `The plan has no cell ${unknown}.`);
  const batches = await ownBatches(transaction, access);
  assertTransientSize(transaction);
  if (!fits(evaluationLoad(plan, cells, batches.length, parameterSet(access.epoch.parameterSet))))
    throw new ContractError('TOO_MUCH_WORK', 'The cells are too many for one transaction.');
  const results = await whenFree(() => evaluateCells(transaction, access, plan, cells, batches));
  const partials: Record<string, string> = {};
  for (const [cell, blob] of results) {
    const hash = blobHash(blob);
    partials[cell] = hash;
    await keep(transaction, jobId, cell, { hash, planHash: plan.hash });
  }
  transaction.emit(jobId);
  return { jobId, partials };
}

async function evaluateCells(
  transaction: Transaction,
  { epoch }: JobAccess,
  plan: AnalysisPlan,
  cells: readonly string[],
  batches: readonly Batch[],
): Promise<Map<string, Uint8Array>> {
  const { epochId, relinKeysHash } = epoch;
  const work = workOf(plan, cells);
  const columns = batches.map((batch) => columnBlobs(transaction, batch, work.columns));
  const relinKeys = transaction.transient.has(RELIN_KEYS)
    ? transientBlob(transaction, RELIN_KEYS, relinKeysHash)
    : undefined;
  const evaluator = await evaluatorFor(parameterSet(epoch.parameterSet));
  return compute(epochId, async () => {
    if (work.cells.some(({ operands }) => operands.length === 2))
      await holdRelinKeys(evaluator, epochId, relinKeysHash, relinKeys);
    return evaluator.evaluate({ plan, cells, epochId, batches: columns });
  });
}

function columnBlobs(
  transaction: Transaction,
  { datasetId, batchId, columns }: Batch,
  names: readonly string[],
): Map<string, Uint8Array> {
  return new Map(
    names.map((name) => {
      const hash = columns[name];
      if (hash === undefined)
        throw new ContractError('NOT_FOUND', `The batch ${datasetId} / ${batchId} has no column ${name}.`);
      return [name, transientBlob(transaction, `column/${datasetId}/${batchId}/${name}`, hash)];
    }),
  );
}

/** Reads the job across channels: the owner's peer is a member of both. */
async function readAccess(transaction: Transaction, jobId: string): Promise<JobAccess> {
  const place = { chaincode: CONSORTIUM, channel: CONSORTIUM };
  const { Access } = consortium.JobContract;
  const request = { jobId, step: 'evaluate' };
  const access = jobAccess.parse(await readAcross(transaction, place, Access.name, request));
  if (!access.decision.allowed) {
    const { code, reason } = access.decision.refusal;
    throw new ContractError('NOT_PERMITTED', `${code}: ${reason}`);
  }
  requireState('job', access.job.state, ['SUBMITTED', 'EVALUATING']);
  return access;
}

function requireParticipant({ caller }: Transaction, { job, subjects }: JobAccess): void {
  if (!job.participants.includes(caller.mspId) || subjects[caller.mspId] !== caller.subject)
    throw new ContractError(
      'NOT_A_PARTY',
      `${caller.mspId} takes no part in the job ${job.jobId} as "${caller.subject}".`,
    );
}

/** Compiles the plan again: what is evaluated is what was submitted. */
function submittedPlan({ job, datasets, epoch }: JobAccess): AnalysisPlan {
  const plan = planOf(job.query, datasets, epoch);
  if (plan.hash !== job.planHash)
    throw new ContractError(
      'HASH_MISMATCH',
      `The plan compiled here is not the plan of the job ${job.jobId}.`,
    );
  return plan;
}

/** The caller's batches, each with the root that the consortium knows. */
async function ownBatches({ ledger, caller }: Transaction, { datasets, epoch }: JobAccess): Promise<Batch[]> {
  const found: Batch[] = [];
  for (const dataset of datasets.filter(({ owner }) => owner === caller.mspId))
    for (const { batchId, merkleRoot } of dataset.batches) {
      const batch = await ledger.get(batchRecords, caller.mspId, dataset.datasetId, batchId);
      if (batch.merkleRoot !== merkleRoot || batch.epochId !== epoch.epochId)
        throw new ContractError(
          'HASH_MISMATCH',
          `The batch ${batchId} is not the one that ${dataset.datasetId} was registered with.`,
        );
      await requireConfirmed(ledger, batchRecords, caller.mspId, dataset.datasetId, batchId);
      // The patient's word counts here at once, before the next version is attested.
      if (batch.end?.reason === 'CONSENT')
        throw new ContractError('NOT_PERMITTED', `Consent was withdrawn to the batch ${batchId}.`);
      found.push(batch);
    }
  return found;
}

/** Keeps a result's hash; the same result again is no change. */
async function keep(
  { ledger, caller, at }: Transaction,
  jobId: string,
  cell: string,
  result: { hash: string; planHash: string },
): Promise<void> {
  const before = await ledger.find(evaluations, caller.mspId, jobId, cell);
  if (before?.hash === result.hash) return;
  if (before)
    throw new ContractError('HASH_MISMATCH', `The cell ${cell} was evaluated before, with another result.`);
  await ledger.put(evaluations, { ...result, at }, caller.mspId, jobId, cell);
}
