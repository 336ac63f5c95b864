import {
  batchColumnPath,
  type DatasetManifest,
  type GrantClaim,
  type JobAccess,
} from '@strokeshare/chaincode';
import type { BatchBlobs } from '@strokeshare/fhe';
import { hasEnded } from '../job/ended.js';
import type { AgentContext } from './context.js';
import { checkedManifest } from './manifest.js';

/** One batch of a dataset with the hashes of its columns, checked against the ledger. */
export interface CheckedBatch {
  owner: string;
  datasetId: string;
  batchId: string;
  /** Column to blob hash. */
  columns: Readonly<Record<string, string>>;
  /** By what right its blobs are read. */
  claim: DataClaim;
}

/** A claim under which data of others is read. */
type DataClaim = Extract<GrantClaim, { kind: 'job' | 'permission' }>;

/** All batches of one institution that a job reads, from manifests whose Merkle roots are on the ledger. */
export async function batchesOf(
  context: AgentContext,
  access: JobAccess,
  owner: string,
): Promise<CheckedBatch[]> {
  const { epochId, parameterSetId } = access.epoch;
  const claim = await claimOf(context, access, owner);
  const own = access.datasets.filter((dataset) => dataset.owner === owner);
  const manifests = await Promise.all(
    own.map(async (dataset) =>
      checkedManifest(
        await read(context, owner, dataset.manifestHash, claim),
        { epochId, parameterSetId },
        dataset,
      ),
    ),
  );
  return manifests.flatMap(({ datasetId, batches }: DatasetManifest) =>
    batches.map(({ batchId, columns }) => ({ owner, datasetId, batchId, columns, claim })),
  );
}

/** Reads the ciphertexts of some columns, batch after batch; every blob has the hash that its manifest names. */
export async function* readColumns(
  context: AgentContext,
  batches: readonly CheckedBatch[],
  columns: readonly string[],
): AsyncGenerator<BatchBlobs> {
  for (const batch of batches) yield readBatch(context, batch, columns);
}

/** The same for one batch. */
export async function readBatch(
  context: AgentContext,
  batch: CheckedBatch,
  columns: readonly string[],
): Promise<Map<string, Uint8Array>> {
  const blobs = await Promise.all(
    columns.map(async (name): Promise<[string, Uint8Array][]> => {
      const hash = batch.columns[name];
      if (hash === undefined) return [];
      const { datasetId, batchId, owner, claim } = batch;
      // Only others ask for a path; it costs a hash of every column.
      if (owner === context.mspId) return [[name, await context.store.get(hash)]];
      const path = batchColumnPath(batch.columns, name);
      if (path === undefined) return [];
      const place = { datasetId, batchId, column: name, path };
      return [[name, await context.peers.get(owner, hash, { ...claim, column: place })]];
    }),
  );
  return new Map(blobs.flat());
}

/** An open job entitles its holders; to replay one that has ended, the permission behind its agreement does. */
async function claimOf(
  { consortium, mspId, signal }: AgentContext,
  { job }: JobAccess,
  owner: string,
): Promise<DataClaim> {
  const { jobId, agreementId, state } = job;
  if (owner === mspId || !hasEnded(state)) return { kind: 'job', jobId };
  const { content } = await consortium.agreements.get({ agreementId }, { signal });
  return { kind: 'permission', permissionId: content.permission.permissionId };
}

function read(context: AgentContext, owner: string, hash: string, claim: GrantClaim): Promise<Uint8Array> {
  return owner === context.mspId ? context.store.get(hash) : context.peers.get(owner, hash, claim);
}
