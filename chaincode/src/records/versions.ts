/** Versions of a dataset on the owner's private channel: which batches belong to it, derived and checked here. */
import { type Batch } from '../api/batches.js';
import { byText } from '../api/canonical.js';
import { type SubmitVersion, type VersionChange, type VersionRecord } from '../api/datasets.js';
import { datasetMerkleRoot } from '../api/merkle.js';
import { ContractError } from '../errors.js';
import { batches as batchRecords, numberKey, versionRecords } from '../ledger/kinds.js';
import { type Transaction } from '../ledger/transaction.js';

export async function submitVersion(
  transaction: Transaction,
  request: SubmitVersion,
): Promise<VersionRecord> {
  const { ledger, caller, at, context } = transaction;
  const { datasetId, version, epochId, manifestHash, batchIds } = request;
  if (batchIds.some((id, i) => i > 0 && byText(batchIds[i - 1] ?? '', id) >= 0))
    throw new ContractError('BAD_REQUEST', 'The batches must be in ascending order of their ids.');
  const previous =
    version === 1
      ? undefined
      : await ledger.get(versionRecords, caller.mspId, datasetId, numberKey(version - 1));
  const batches: Batch[] = [];
  await ledger.fetch(
    batchRecords,
    batchIds.map((batchId) => [caller.mspId, datasetId, batchId]),
  );
  for (const batchId of batchIds) {
    const batch = await ledger.get(batchRecords, caller.mspId, datasetId, batchId);
    if (batch.end)
      throw new ContractError('ILLEGAL_STATE', `The batch ${batchId} was ended at ${batch.end.at}.`);
    if (batch.epochId !== epochId)
      throw new ContractError('BAD_REQUEST', `The batch ${batchId} is of the key epoch ${batch.epochId}.`);
    batches.push(batch);
  }
  const change = previous ? await changeSince(transaction, previous, request) : 'FIRST';
  const roots = batches.map(({ batchId, merkleRoot }) => ({ batchId, merkleRoot }));
  const record: VersionRecord = {
    datasetId,
    version,
    change,
    usableFrom: change === 'CONSENT' || !previous ? version : previous.usableFrom,
    epochId,
    manifestHash,
    merkleRoot: datasetMerkleRoot(roots),
    batches: roots,
    countsBand: bandOf(batches.reduce((sum, { rows }) => sum + rows, 0)),
    owner: caller.mspId,
    transactionId: context.stub.getTxID(),
    recordedAt: at,
  };
  await ledger.create(versionRecords, record, caller.mspId, datasetId, numberKey(version));
  transaction.emit(datasetId, change);
  return record;
}

/** What is left out must have ended, and why it ended decides what the new version is. */
async function changeSince(
  { ledger, caller }: Transaction,
  previous: VersionRecord,
  { datasetId, epochId, batchIds }: SubmitVersion,
): Promise<VersionChange> {
  const removed = previous.batches.filter(({ batchId }) => !batchIds.includes(batchId));
  const reasons = new Set<string>();
  await ledger.fetch(
    batchRecords,
    removed.map(({ batchId }) => [caller.mspId, datasetId, batchId]),
  );
  for (const { batchId } of removed) {
    const { end } = await ledger.get(batchRecords, caller.mspId, datasetId, batchId);
    if (!end)
      throw new ContractError('BAD_REQUEST', `The batch ${batchId} is left out and has not been ended.`);
    reasons.add(end.reason);
  }
  if (reasons.has('CONSENT')) return 'CONSENT';
  if (epochId !== previous.epochId) return 'EPOCH';
  if (removed.length > 0) return 'CORRECTION';
  if (batchIds.length > previous.batches.length) return 'APPEND';
  throw new ContractError('BAD_REQUEST', 'The version has the batches of the one before.');
}

/** Says how many patients there are without saying it exactly: to the thousand below and above. */
function bandOf(rows: number): { minimum: number; maximum: number } {
  const minimum = Math.floor(rows / 1000) * 1000;
  return { minimum, maximum: minimum + 1000 };
}
