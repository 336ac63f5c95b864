/**
 * Evaluation of a job's cells on the caller's batches. The job and the permission are read from the consortium channel
 * (outside the read set), so posting and release decide again; ciphertexts are matched with the batches' hashes here
 * and the batches' roots with the dataset's entry there.
 */
import { type AnalysisPlan, blobHash, parameterSet, workOf } from '@strokeshare/fhe';
import { type Batch } from '../api/batches.js';
import { comparisonsOf, type JobAccess, jobAccess } from '../api/jobs.js';
import { type Evaluate, type EvaluateResponse } from '../api/records.js';
import { consortium } from '../api/transactions.js';
import { ContractError } from '../errors.js';
import { requireConfirmed } from '../endorsement/sharing.js';
import { assertTransientSize, transientBlob } from '../evaluation/blobs.js';
import { compute, evaluatorFor, holdRelinKeys, whenFree } from '../evaluation/evaluators.js';
import { evaluationLoad, fits } from '../evaluation/limits.js';
import { planOf } from '../evaluation/plan.js';
import { readAcross } from '../ledger/acrossChannels.js';
import { batches as batchRecords, evaluations, numberKey, runningSums } from '../ledger/kinds.js';
import { type Transaction } from '../ledger/transaction.js';
import { requireState } from '../states/machine.js';

const CONSORTIUM = 'consortium';
const RELIN_KEYS = 'relinKeys';

export async function evaluate(transaction: Transaction, request: Evaluate): Promise<EvaluateResponse> {
  const { jobId, cells } = request;
  const access = await readAccess(transaction, jobId);
  requireParticipant(transaction, access);
  const plan = submittedPlan(access);
  const known = new Set(plan.cells.map(({ id }) => id));
  const unknown = cells.find((cell) => !known.has(cell));
  if (unknown !== undefined) throw new ContractError('BAD_REQUEST', `The plan has no cell ${unknown}.`);
  const batches = await ownBatches(transaction, access);
  const { from, until } = stretchOf(request, batches.length);
  assertTransientSize(transaction);
  const set = parameterSet(access.epoch.parameterSet);
  if (!fits(evaluationLoad(plan, cells, until - from, set, from > 0)))
    throw new ContractError('TOO_MUCH_WORK', 'The cells are too many for one transaction.');
  const part: Part = {
    plan,
    cells,
    batches: batches.slice(from, until),
    running: from > 0 ? await runningBlobs(transaction, jobId, plan, cells, from) : undefined,
    last: until === batches.length,
  };
  const results = await whenFree(() => evaluateCells(transaction, access, part));
  const hashes: Record<string, string> = {};
  const place = part.last ? [jobId] : [jobId, numberKey(until)];
  const kind = part.last ? evaluations : runningSums;
  await transaction.ledger.fetch(
    kind,
    [...results.keys()].map((cell) => [transaction.caller.mspId, ...place, cell]),
  );
  for (const [cell, blob] of results) {
    const hash = blobHash(blob);
    hashes[cell] = hash;
    await keep(transaction, kind, [...place, cell], { hash, planHash: plan.hash });
  }
  transaction.emit(jobId);
  return part.last ? { jobId, partials: hashes } : { jobId, partials: {}, running: hashes };
}

/** Some cells over a stretch of the caller's batches. */
interface Part {
  readonly plan: AnalysisPlan;
  readonly cells: readonly string[];
  readonly batches: readonly Batch[];
  /** What the stretches before gave; undefined for the first. */
  readonly running: ReadonlyMap<string, Uint8Array> | undefined;
  readonly last: boolean;
}

function stretchOf({ from = 0, until }: Evaluate, batches: number): { from: number; until: number } {
  const end = until ?? batches;
  if (from >= end || end > batches)
    throw new ContractError(
      'BAD_REQUEST',
      `There are ${batches} batches, and none from ${from} on and before ${end}.`,
    );
  return { from, until: end };
}

/** The sums over all batches before, from the transient data, each with the hash that is on the ledger. */
async function runningBlobs(
  transaction: Transaction,
  jobId: string,
  plan: AnalysisPlan,
  cells: readonly string[],
  from: number,
): Promise<Map<string, Uint8Array>> {
  const { ledger, caller } = transaction;
  const before = await ledger.findEach(runningSums, [caller.mspId, jobId, numberKey(from)], cells);
  return new Map(
    cells.map((cell) => {
      const sum = before.get(cell);
      if (sum?.planHash !== plan.hash)
        throw new ContractError(
          'NOT_FOUND',
          `The cell ${cell} has no running sum over the first ${from} batches.`,
        );
      return [cell, transientBlob(transaction, `running/${cell}`, sum.hash)];
    }),
  );
}

async function evaluateCells(
  transaction: Transaction,
  { epoch }: JobAccess,
  { plan, cells, batches, running, last }: Part,
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
    return evaluator.evaluatePart(
      { plan, cells, epochId, batches: columns, running, last },
      { giveAway: true },
    );
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
  const plan = planOf(job.query, datasets, epoch, comparisonsOf(job.cells));
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
  const own = datasets.filter(({ owner }) => owner === caller.mspId);
  await ledger.fetch(
    batchRecords,
    own.flatMap(({ datasetId, batches }) => batches.map(({ batchId }) => [caller.mspId, datasetId, batchId])),
  );
  for (const dataset of own)
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
  kind: typeof evaluations,
  key: readonly string[],
  result: { hash: string; planHash: string },
): Promise<void> {
  const before = await ledger.find(kind, caller.mspId, ...key);
  if (before?.hash === result.hash) return;
  if (before)
    throw new ContractError(
      'HASH_MISMATCH',
      `The cell ${String(key.at(-1))} was evaluated before, with another result.`,
    );
  await ledger.put(kind, { ...result, at }, caller.mspId, ...key);
}
