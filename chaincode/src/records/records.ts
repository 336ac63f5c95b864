/** Batches and evaluation, on an institution's private channel. */
import { type Context, Contract, Info } from 'fabric-contract-api';
import { privateRecords } from '../api/transactions.js';
import { batches, deletions, journalAnchors, numberKey, versionRecords } from '../ledger/kinds.js';
import { Serves } from '../ledger/serves.js';
import { run } from '../ledger/transaction.js';
import { anchorJournal, journalAnchorOf } from './anchors.js';
import { submitBatch, submitBatches, tombstoneBatch } from './batches.js';
import { recordDeletion } from './deletions.js';
import { evaluate } from './evaluate.js';
import { submitVersion } from './versions.js';

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

  @Serves(definitions.SubmitBatches)
  SubmitBatches(context: Context, request: string): Promise<string> {
    return run(context, definitions.SubmitBatches, request, submitBatches);
  }

  @Serves(definitions.TombstoneBatch)
  TombstoneBatch(context: Context, request: string): Promise<string> {
    return run(context, definitions.TombstoneBatch, request, tombstoneBatch);
  }

  @Serves(definitions.GetBatch)
  GetBatch(context: Context, request: string): Promise<string> {
    return run(context, definitions.GetBatch, request, ({ ledger, caller }, { datasetId, batchId }) =>
      ledger.get(batches, caller.mspId, datasetId, batchId),
    );
  }

  @Serves(definitions.ListBatches)
  ListBatches(context: Context, request: string): Promise<string> {
    return run(context, definitions.ListBatches, request, ({ ledger, caller }, { datasetId, ...page }) =>
      ledger.page(batches, [caller.mspId, ...(datasetId === undefined ? [] : [datasetId])], page),
    );
  }

  @Serves(definitions.SubmitVersion)
  SubmitVersion(context: Context, request: string): Promise<string> {
    return run(context, definitions.SubmitVersion, request, submitVersion);
  }

  @Serves(definitions.GetVersion)
  GetVersion(context: Context, request: string): Promise<string> {
    return run(context, definitions.GetVersion, request, ({ ledger, caller }, { datasetId, version }) =>
      ledger.get(versionRecords, caller.mspId, datasetId, numberKey(version)),
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

  @Serves(definitions.RecordDeletion)
  RecordDeletion(context: Context, request: string): Promise<string> {
    return run(context, definitions.RecordDeletion, request, recordDeletion);
  }

  @Serves(definitions.ListDeletions)
  ListDeletions(context: Context, request: string): Promise<string> {
    return run(context, definitions.ListDeletions, request, ({ ledger, caller }, page) =>
      ledger.page(deletions, [caller.mspId], page),
    );
  }

  @Serves(definitions.ListJournalAnchors)
  ListJournalAnchors(context: Context, request: string): Promise<string> {
    return run(context, definitions.ListJournalAnchors, request, ({ ledger, caller }, page) =>
      ledger.page(journalAnchors, [caller.mspId], page),
    );
  }
}
