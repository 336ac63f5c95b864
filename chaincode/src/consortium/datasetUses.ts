/** Which jobs used a dataset: what an owner reads when a dataset, a batch or a patient's consent is withdrawn. */
import { type ListUses } from '../api/datasets.js';
import { type DatasetUse, type Job } from '../api/jobs.js';
import { datasetUses, jobRecords } from '../ledger/kinds.js';
import { type Ledger } from '../ledger/ledger.js';
import { type Transaction } from '../ledger/transaction.js';
import { attestedVersion } from './datasetState.js';
import { viewJob } from './jobState.js';

/** One key for each dataset of a job that was accepted. */
export async function noteUses(ledger: Ledger, job: Job): Promise<void> {
  for (const [datasetId, { version }] of Object.entries(job.versions))
    await ledger.put(datasetUses, { jobId: job.jobId, version }, datasetId, job.jobId);
}

/** The jobs in the order of their ids, as they stand now; for evaluated transactions only. */
export async function usesOf(
  { ledger, now }: Transaction,
  { datasetId, batchId, ...page }: ListUses,
): Promise<{ items: DatasetUse[]; next?: string }> {
  const { items, ...rest } = await ledger.page(datasetUses, [datasetId], page);
  const has = new Map<number, boolean>();
  const uses: DatasetUse[] = [];
  for (const { jobId, version } of items) {
    if (batchId !== undefined && !has.has(version)) {
      const attested = await attestedVersion(ledger, datasetId, version);
      has.set(version, attested?.batches.some((batch) => batch.batchId === batchId) ?? false);
    }
    if (has.get(version) === false) continue;
    const { state, researcherId, agreementId, submittedAt } = await viewJob(
      ledger,
      await ledger.get(jobRecords, jobId),
      now,
    );
    uses.push({ jobId, version, state, researcherId, agreementId, submittedAt });
  }
  return { items: uses, ...rest };
}
