/** Batches on the owner's private channel: entered once, superseded by another, or ended without a successor. */
import {
  type Batch,
  type EndReason,
  type SubmitBatch,
  type SubmitBatches,
  type SubmittedBatches,
  type TombstoneBatch,
} from '../api/batches.js';
import { batchMerkleRoot } from '../api/merkle.js';
import { pend } from '../endorsement/sharing.js';
import { ContractError } from '../errors.js';
import { batchBlobs, batches } from '../ledger/kinds.js';
import { type Transaction } from '../ledger/transaction.js';

export async function submitBatch(transaction: Transaction, request: SubmitBatch): Promise<Batch> {
  const { datasetId, batchId, supersedes } = request;
  const batch = await enter(transaction, request);
  if (supersedes) {
    const { batchId: earlier, reason, retainUntil } = supersedes;
    const before = await endBatch(transaction, datasetId, earlier, { reason, retainUntil, by: batchId });
    if ((before.epochId === request.epochId) === (reason === 'EPOCH'))
      throw new ContractError(
        'BAD_REQUEST',
        `The batch ${earlier} is of the key epoch ${before.epochId}: it cannot be replaced for ${reason}.`,
      );
  }
  transaction.emit(batchId);
  return batch;
}

/** Enters several batches, all or none. */
export async function submitBatches(
  transaction: Transaction,
  { batches: entered, ...common }: SubmitBatches,
): Promise<SubmittedBatches> {
  const { ledger, caller } = transaction;
  const { datasetId } = common;
  await ledger.fetch(
    batches,
    entered.map(({ batchId }) => [caller.mspId, datasetId, batchId]),
  );
  for (const batch of entered) await enter(transaction, { ...common, ...batch });
  transaction.emit(datasetId);
  return { datasetId, batchIds: entered.map(({ batchId }) => batchId), submittedAt: transaction.at };
}

async function enter(transaction: Transaction, request: SubmitBatch): Promise<Batch> {
  const { ledger, caller, at } = transaction;
  const { datasetId, batchId, columns } = request;
  if (batchMerkleRoot(columns) !== request.merkleRoot)
    throw new ContractError(
      'HASH_MISMATCH',
      `The Merkle root of the batch ${batchId} is not that of its columns.`,
    );
  const batch: Batch = {
    ...request,
    owner: caller.mspId,
    submittedBy: caller.subject,
    submittedAt: at,
  };
  await ledger.create(batches, batch, caller.mspId, datasetId, batchId);
  for (const hash of new Set(Object.values(columns)))
    await ledger.put(batchBlobs, { datasetId, batchId }, caller.mspId, hash);
  await pend(transaction, batches, batch, caller.mspId, datasetId, batchId);
  return batch;
}

/** Ends a batch without a successor. */
export function tombstoneBatch(
  transaction: Transaction,
  { datasetId, batchId, reason, note, retainUntil }: TombstoneBatch,
): Promise<Batch> {
  transaction.emit(batchId, 'TOMBSTONED');
  return endBatch(transaction, datasetId, batchId, { reason, note, retainUntil });
}

/**
 * A batch's ciphertexts are kept while it is in use, and after its end for as long as was said then: until that time
 * results that rest on it can be computed again.
 * @throws ContractError ILLEGAL_STATE, TOO_EARLY
 */
export async function requireErasable({ ledger, caller, now }: Transaction, object: string): Promise<void> {
  const place = await ledger.find(batchBlobs, caller.mspId, object);
  if (!place) return;
  const { end, batchId } = await ledger.get(batches, caller.mspId, place.datasetId, place.batchId);
  if (!end)
    throw new ContractError('ILLEGAL_STATE', `The object is of the batch ${batchId}, which is in use.`);
  if (now < Date.parse(end.retainUntil))
    throw new ContractError(
      'TOO_EARLY',
      `The object is of the batch ${batchId}, which is kept until ${end.retainUntil}.`,
    );
}

async function endBatch(
  { ledger, caller, at, now }: Transaction,
  datasetId: string,
  batchId: string,
  end: { reason: EndReason; retainUntil: string; by?: string; note?: string },
): Promise<Batch> {
  const before = await ledger.get(batches, caller.mspId, datasetId, batchId);
  if (before.end)
    throw new ContractError('ILLEGAL_STATE', `The batch ${batchId} was ended at ${before.end.at}.`);
  if (Date.parse(end.retainUntil) < now)
    throw new ContractError('BAD_REQUEST', 'The blobs cannot be retained until a time that has passed.');
  const ended: Batch = { ...before, end: { ...end, at } };
  await ledger.put(batches, ended, caller.mspId, datasetId, batchId);
  return ended;
}
