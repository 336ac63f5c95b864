/** Transactions of an institution's private channel. */
import * as anchors from './anchors.js';
import * as batches from './batches.js';
import { buildInfoContract, endorsementContract } from './commonTransactions.js';
import * as datasets from './datasets.js';
import { byInstitution, contract, reads } from './definition.js';
import * as deletions from './deletions.js';
import { listOf, listRequest } from './primitives.js';
import * as records from './records.js';

/** Contracts of the chaincode `records` on every private channel. */
export const privateRecords = {
  RecordsContract: contract('RecordsContract', {
    SubmitBatch: {
      ...byInstitution(
        'Enters a batch of encrypted columns, in the place of an earlier one where it says so.',
        batches.submitBatch,
        batches.batch,
      ),
      registration: 'none',
    },
    SubmitBatches: {
      ...byInstitution(
        'Enters several new batches of one dataset.',
        batches.submitBatches,
        batches.submittedBatches,
      ),
      registration: 'none',
    },
    TombstoneBatch: {
      ...byInstitution('Ends a batch without a successor.', batches.tombstoneBatch, batches.batch),
      registration: 'none',
    },
    GetBatch: {
      ...reads('Reads one of the caller’s batches.', batches.getBatch, batches.batch),
      roles: ['institution', 'auditor'],
    },
    ListBatches: {
      ...reads(
        'Lists batches by dataset and id, or those of one dataset by id.',
        batches.listBatches,
        listOf(batches.batch),
      ),
      roles: ['institution', 'auditor'],
    },
    SubmitVersion: {
      ...byInstitution(
        'Records which batches a dataset’s next version has.',
        datasets.submitVersion,
        datasets.versionRecord,
      ),
      registration: 'none',
    },
    GetVersion: {
      ...reads('Reads one version of the caller’s datasets.', datasets.getVersion, datasets.versionRecord),
      roles: ['institution', 'auditor'],
    },
    Evaluate: {
      ...byInstitution(
        'Evaluates cells of a job on the caller’s batches.',
        records.evaluate,
        records.evaluateResponse,
      ),
      registration: 'none',
    },
    AnchorJournal: {
      ...byInstitution(
        'Notes the head of the storage node’s access journal.',
        anchors.anchorJournal,
        anchors.journalAnchor,
      ),
      registration: 'none',
    },
    GetJournalAnchor: {
      ...reads(
        'Reads the anchor of one sequence, or the last one.',
        anchors.getJournalAnchor,
        anchors.journalAnchor,
      ),
      roles: ['institution', 'auditor'],
    },
    RecordDeletion: {
      ...byInstitution(
        'Records that an object of the storage node is deleted, and who approved it.',
        deletions.recordDeletion,
        deletions.deletion,
      ),
      registration: 'none',
    },
    ListDeletions: {
      ...reads('Lists the deleted objects.', listRequest, listOf(deletions.deletion)),
      roles: ['institution', 'auditor'],
    },
    ListJournalAnchors: {
      ...reads('Lists the journal’s anchors by sequence.', listRequest, listOf(anchors.journalAnchor)),
      roles: ['institution', 'auditor'],
    },
  }),
  EndorsementContract: endorsementContract('none'),
  BuildInfoContract: buildInfoContract,
} as const;
