import type { DatasetManifest, JobAccess } from '@strokeshare/chaincode';
import type { BatchBlobs } from '@strokeshare/fhe';
import type { AgentContext } from './context.js';
import { checkedManifest } from './manifest.js';

/** One batch of a dataset with the hashes of its columns, checked against the ledger. */
export interface CheckedBatch {
  owner: string;
  datasetId: string;
  batchId: string;
  /** Column to blob hash. */
  columns: Readonly<Record<string, string>>;
}

/** All batches of one institution that a job reads, from manifests whose Merkle roots are on the ledger. */
export async function batchesOf(
  context: AgentContext,
  access: JobAccess,
  owner: string,
): Promise<CheckedBatch[]> {
  const { epochId, parameterSetId } = access.epoch;
  const own = access.datasets.filter((dataset) => dataset.owner === owner);
  const manifests = await Promise.all(
    own.map(async (dataset) =>
      checkedManifest(await read(context, owner, dataset.manifestHash), { epochId, parameterSetId }, dataset),
    ),
  );
  return manifests.flatMap(({ datasetId, batches }: DatasetManifest) =>
    batches.map(({ batchId, columns }) => ({ owner, datasetId, batchId, columns })),
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
      return hash === undefined ? [] : [[name, await read(context, batch.owner, hash)]];
    }),
  );
  return new Map(blobs.flat());
}

function read(context: AgentContext, owner: string, hash: string): Promise<Uint8Array> {
  return owner === context.mspId ? context.store.get(hash) : context.peers.get(owner, hash);
}
