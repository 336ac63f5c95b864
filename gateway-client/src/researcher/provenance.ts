/** Where a result comes from, verified before it is shown. */
import {
  datasetMerkleRoot,
  digestOf,
  signingKeyAt,
  verifyDetached,
  type AgreementVersionView,
  type AuditEntry,
  type Institution,
  type JobAccess,
  type VersionAttestation,
} from '@strokeshare/chaincode';
import { ClientError } from '../errors.js';

/** A transaction of the job on the ledger. */
export interface ProvenanceStep {
  transactionId: string;
  /** `JobContract:Submit`. */
  transaction: string;
  /** Organisation of whoever submitted it. */
  by: string;
  at: string;
}

/** One dataset as the job used it. */
export interface ProvenanceDataset {
  datasetId: string;
  owner: string;
  version: number;
  /** Over the batches. */
  merkleRoot: string;
  /** Where the owner's private channel records the version. */
  recordsChannel: string;
  block: number;
  transactionId: string;
  batches: { batchId: string; merkleRoot: string }[];
}

/** What a result rests on. */
export interface ResultProvenance {
  jobId: string;
  researcherId: string;
  agreement: { agreementId: string; version: number; digest: string; signedBy: string[] };
  epochId: string;
  planHash: string;
  datasets: ProvenanceDataset[];
  transactions: ProvenanceStep[];
  /** Through how many peers all of it was read, with the same answers. */
  peers: number;
}

/** What was read of a job, alike from every peer. */
export interface ProvenanceFacts {
  access: JobAccess;
  agreement: AgreementVersionView;
  /** Of the job's datasets, as their owners attested them. */
  versions: readonly VersionAttestation[];
  institutions: readonly Institution[];
  entries: readonly AuditEntry[];
  peers: number;
}

/**
 * Puts a result's provenance together and verifies it: the agreement's digest is the job's and every owner signed it by
 * its enrolled key; every dataset's version is the one that the job names, with the root of its batches; and the job's
 * submission is on the ledger.
 *
 * @throws ClientError `RESULT_INVALID` naming what does not hold.
 */
export function verifiedProvenance({
  access,
  agreement,
  versions,
  institutions,
  entries,
  peers,
}: ProvenanceFacts): ResultProvenance {
  const { job } = access;
  const require = (holds: boolean, what: string): void => {
    if (!holds) throw invalid(job.jobId, what);
  };
  const { content, signatures } = agreement;
  require(digestOf(content) === job.agreementDigest, 'its agreement has another digest');
  for (const owner of content.owners) {
    const entry = institutions.find(({ mspId }) => mspId === owner);
    const slot = signatures[owner];
    const key = entry && slot && signingKeyAt(entry, slot.at);
    require(key !== undefined &&
      slot !== undefined &&
      verifyDetached(content, slot.signature, key), `its agreement has no valid signature of ${owner}`);
  }
  const datasets = access.datasets.map(({ datasetId, owner, merkleRoot }) => {
    const pinned = job.versions[datasetId];
    const attested = versions.find((version) => version.datasetId === datasetId);
    if (attested?.version !== pinned?.version || attested?.merkleRoot !== pinned?.merkleRoot || !attested)
      throw invalid(job.jobId, `${datasetId} has another version than the job names`);
    const { version, recordsChannel, block, transactionId, batches } = attested;
    require(attested.merkleRoot === merkleRoot &&
      datasetMerkleRoot(batches) === merkleRoot, `the batches of ${datasetId} have another root`);
    return { datasetId, owner, version, merkleRoot, recordsChannel, block, transactionId, batches };
  });
  require(job.datasets.every((datasetId) =>
    datasets.some((dataset) => dataset.datasetId === datasetId),
  ), 'a dataset is missing');
  const transactions = entries
    .filter(({ jobId }) => jobId === job.jobId)
    .map(({ entryId, transaction, by, at }) => ({ transactionId: entryId, transaction, by: by.mspId, at }));
  require(transactions.some(
    ({ transaction }) => transaction === 'JobContract:Submit',
  ), 'its submission is not in the audit trail');
  return {
    jobId: job.jobId,
    researcherId: job.researcherId,
    agreement: {
      agreementId: job.agreementId,
      version: job.agreementVersion,
      digest: job.agreementDigest,
      signedBy: content.owners,
    },
    epochId: job.epochId,
    planHash: job.planHash ?? '',
    datasets,
    transactions,
    peers,
  };
}

function invalid(jobId: string, what: string): ClientError {
  return new ClientError('RESULT_INVALID', `The result of job ${jobId} cannot be used: ${what}.`);
}
