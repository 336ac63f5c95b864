/** Datasets as jobs see them: the registered part, and one attested version. */
import {
  type VersionAttestation,
  type Dataset,
  type DatasetRecord,
  type DatasetView,
} from '../api/datasets.js';
import { datasetMerkleRoot } from '../api/merkle.js';
import { type PinnedVersion } from '../api/jobs.js';
import { datasetRecords, datasetVersions, numberKey } from '../ledger/kinds.js';
import { type Ledger } from '../ledger/ledger.js';

/** An attested version; undefined where there is none of that number, or its slot is empty. */
export async function attestedVersion(
  ledger: Ledger,
  datasetId: string,
  version: number,
): Promise<VersionAttestation | undefined> {
  if (version < 1) return undefined;
  const slot = await ledger.find(datasetVersions, datasetId, numberKey(version));
  if (!slot || !('attestedAt' in slot)) return undefined;
  // Nobody but its owner endorses a slot: what is no attestation of this very version does not count.
  const isOfThisVersion = slot.datasetId === datasetId && slot.version === version;
  return isOfThisVersion && datasetMerkleRoot(slot.batches) === slot.merkleRoot ? slot : undefined;
}

/** The newest attested version: that of the last slot or, while it is empty, the one before. */
export async function currentVersion(
  ledger: Ledger,
  { datasetId, versions }: DatasetRecord,
): Promise<VersionAttestation | undefined> {
  return (
    (await attestedVersion(ledger, datasetId, versions)) ??
    (await attestedVersion(ledger, datasetId, versions - 1))
  );
}

export async function viewDataset(ledger: Ledger, record: DatasetRecord): Promise<DatasetView> {
  const current = await currentVersion(ledger, record);
  const status = record.withdrawal ? 'WITHDRAWN' : current ? 'ACTIVE' : 'REGISTERED';
  return { ...record, status, ...(current && { current }) };
}

/**
 * The datasets that a job rests on, with the versions that it pinned or, before that, the current ones; what is not
 * registered or not attested is left out, and so is a version whose owner put another root where a job pinned one.
 *
 * @param pinned by dataset id
 */
export async function datasetsFor(
  ledger: Ledger,
  ids: readonly string[],
  pinned: Readonly<Record<string, PinnedVersion>> = {},
): Promise<Map<string, Dataset>> {
  const found = new Map<string, Dataset>();
  const records = await ledger.findEach(datasetRecords, [], ids);
  await ledger.fetch(
    datasetVersions,
    [...records].flatMap(([id, { versions }]) => (versions > 0 ? [[id, numberKey(versions)]] : [])),
  );
  for (const [datasetId, record] of records) {
    const current = await currentVersion(ledger, record);
    const pin = pinned[datasetId];
    const isCurrent = !pin || pin.version === current?.version;
    const version = isCurrent ? current : await attestedVersion(ledger, datasetId, pin.version);
    if (!current || !version || (pin && pin.merkleRoot !== version.merkleRoot)) continue;
    const superseded = current.usableFrom > version.version;
    const status = record.withdrawal ? 'WITHDRAWN' : superseded ? 'SUPERSEDED' : 'ACTIVE';
    found.set(datasetId, { ...record, ...version, status });
  }
  return found;
}
