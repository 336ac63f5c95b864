/** Deletions of the storage node's objects: recorded once, and never taken back. */
import { type Deletion, type RecordDeletion } from '../api/deletions.js';
import { ContractError } from '../errors.js';
import { deletions } from '../ledger/kinds.js';
import { type Transaction } from '../ledger/transaction.js';
import { requireErasable } from './batches.js';

/** The same request for the same object again is no change, so that a node may repeat its call. */
export async function recordDeletion(transaction: Transaction, request: RecordDeletion): Promise<Deletion> {
  const { ledger, caller, at } = transaction;
  const known = await ledger.find(deletions, caller.mspId, request.object);
  if (known?.requestDigest === request.requestDigest) return known;
  if (known)
    throw new ContractError('ALREADY_EXISTS', `The object ${request.object} was deleted by another request.`);
  await requireErasable(transaction, request.object);
  const record: Deletion = { ...request, at };
  await ledger.put(deletions, record, caller.mspId, request.object);
  transaction.emit(request.object, 'DELETED');
  return record;
}
