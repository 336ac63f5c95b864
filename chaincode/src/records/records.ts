/** Batches and evaluation, on an institution's private channel. */
import { type Context, Contract, Info } from 'fabric-contract-api';
import { type Batch, type SubmitBatch } from '../api/datasets.js';
import { batchMerkleRoot } from '../api/merkle.js';
import { privateRecords } from '../api/transactions.js';
import { ContractError } from '../errors.js';
import { pend } from '../endorsement/sharing.js';
import { batches, journalAnchors } from '../ledger/kinds.js';
import { Serves } from '../ledger/serves.js';
import { run, type Transaction } from '../ledger/transaction.js';
import { anchorJournal, journalAnchorOf } from './anchors.js';
import { evaluate } from './evaluate.js';

const definitions = privateRecords.RecordsContract;

@Info({ title: 'RecordsContract', description: 'Batches of encrypted columns, and their evaluation.' })
export class RecordsContract extends Contract {
  constructor() {
    super('RecordsContract');
  }

  @Serves(definitions.SubmitBatch)
  SubmitBatch(context: Context, request: string): Promise<string> {
    return run(context, definitions.SubmitBatch, request, submitBatch);
  }

  @Serves(definitions.GetBatch)
  GetBatch(context: Context, request: string): Promise<string> {
    return run(context, definitions.GetBatch, request, ({ ledger, caller }, { datasetId, batchId }) =>
      ledger.get(batches, caller.mspId, datasetId, batchId),
    );
  }

  @Serves(definitions.ListBatches)
  ListBatches(context: Context, request: string): Promise<string> {
    return run(context, definitions.ListBatches, request, ({ ledger, caller }, page) =>
      ledger.page(batches, [caller.mspId], page),
    );
  }

  @Serves(definitions.Evaluate)
  Evaluate(context: Context, request: string): Promise<string> {
    return run(context, definitions.Evaluate, request, evaluate);
  }

  @Serves(definitions.AnchorJournal)
  AnchorJournal(context: Context, request: string): Promise<string> {
    return run(context, definitions.AnchorJournal, request, anchorJournal);
  }

  @Serves(definitions.GetJournalAnchor)
  GetJournalAnchor(context: Context, request: string): Promise<string> {
    return run(context, definitions.GetJournalAnchor, request, journalAnchorOf);
  }

  @Serves(definitions.ListJournalAnchors)
  ListJournalAnchors(context: Context, request: string): Promise<string> {
    return run(context, definitions.ListJournalAnchors, request, ({ ledger, caller }, page) =>
      ledger.page(journalAnchors, [caller.mspId], page),
    );
  }
}

async function submitBatch(transaction: Transaction, request: SubmitBatch): Promise<Batch> {
  const { ledger, caller } = transaction;
  if (batchMerkleRoot(request.columns) !== request.merkleRoot)
    throw new ContractError('HASH_MISMATCH', 'The Merkle root is not that of the columns.');
  const batch: Batch = { ...request, owner: caller.mspId, submittedAt: transaction.at };
  await ledger.create(batches, batch, caller.mspId, request.datasetId, request.batchId);
  await pend(transaction, batches, batch, caller.mspId, request.datasetId, request.batchId);
  transaction.emit(request.batchId);
  return batch;
}
