/**
 * Versions of a dataset: recorded on the private channel, then attested in the slot that the consortium made for it.
 * Whatever was interrupted is finished first, so that a version is never recorded twice.
 */
import type { VersionAttestation, DatasetManifest, DatasetView, VersionRecord } from '@strokeshare/chaincode';
import { parameterSetById } from '@strokeshare/fhe';
import { LedgerError } from '../connect/index.js';
import type { EnteredBatch } from './batches.js';
import { report, type AgentContext } from './context.js';
import { manifestBlob } from './manifest.js';

/**
 * Enters the next version of a dataset with some batches of one epoch, and attests it.
 *
 * @param batches - of the new version, as the private channel has them.
 */
export async function enterVersion(
  context: AgentContext,
  datasetId: string,
  epoch: { epochId: string; parameterSetId: string },
  batches: readonly EnteredBatch[],
): Promise<VersionAttestation> {
  const { records, store, mspId, signal } = context;
  const version = await nextVersion(context, datasetId);
  const { epochId } = epoch;
  const sorted = [...batches].sort((a, b) => (a.batchId < b.batchId ? -1 : 1));
  const manifest: DatasetManifest = {
    version: 1,
    datasetId,
    epochId,
    batches: sorted.map(({ batchId, merkleRoot, columns }) => ({ batchId, merkleRoot, columns })),
  };
  const place = { parameterSetId: parameterSetById(epoch.parameterSetId).id, epochId };
  const manifestHash = await store.put(manifestBlob(place, manifest));
  let block = 0n;
  await records.records.submitVersion(
    { datasetId, version, epochId, manifestHash, batchIds: sorted.map(({ batchId }) => batchId) },
    {
      endorsingOrganizations: [mspId],
      signal,
      onCommit: ({ blockNumber }) => (block = blockNumber),
    },
  );
  return attest(context, datasetId, version, block);
}

/** Attests a version that was recorded and not attested, as after a crash between the two. */
export async function finishVersion(
  context: AgentContext,
  datasetId: string,
): Promise<VersionAttestation | undefined> {
  const version = await nextVersion(context, datasetId);
  const recorded = await recordedVersion(context, datasetId, version);
  if (!recorded) return undefined;
  const block = await context.records.blockOf(recorded.transactionId, context.signal);
  return attest(context, datasetId, version, block);
}

async function nextVersion({ consortium, signal }: AgentContext, datasetId: string): Promise<number> {
  const { current } = await consortium.datasets.get({ datasetId }, { signal });
  return (current?.version ?? 0) + 1;
}

async function recordedVersion(
  { records, signal }: AgentContext,
  datasetId: string,
  version: number,
): Promise<VersionRecord | undefined> {
  try {
    return await records.records.getVersion({ datasetId, version }, { signal });
  } catch (error) {
    if (error instanceof LedgerError && error.contractCode === 'NOT_FOUND') return undefined;
    throw error;
  }
}

async function attest(
  context: AgentContext,
  datasetId: string,
  version: number,
  block: bigint,
): Promise<VersionAttestation> {
  const { consortium, records, mspId, signal } = context;
  const { versions }: DatasetView = await consortium.datasets.get({ datasetId }, { signal });
  if (versions < version) await consortium.datasets.openVersion({ datasetId }, { signal });
  const attested = await consortium.datasets.attest(
    { datasetId, version, recordsChannel: records.channel, block: Number(block) },
    // The slot's policy is the own peer's endorsement, and no other peer reads the private channel.
    { endorsingOrganizations: [mspId], signal },
  );
  report(context, 'dataset', datasetId, `attested version ${version}: ${attested.change}`);
  return attested;
}
