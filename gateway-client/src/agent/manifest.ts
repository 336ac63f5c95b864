import {
  batchMerkleRoot,
  datasetManifest,
  datasetMerkleRoot,
  type DatasetManifest,
  type JobAccess,
} from '@strokeshare/chaincode';
import { canonicalJson, decodeBlob, encodeBlob } from '@strokeshare/fhe';
import { ClientError } from '../errors.js';

/** Where a manifest belongs: a blob says it in its header. */
export interface BlobPlace {
  parameterSetId: string;
  epochId: string;
}

/** The blob of a manifest: the canonical JSON (RFC 8785) of its content. */
export function manifestBlob(place: BlobPlace, content: unknown): Uint8Array {
  return encodeBlob({ kind: 'manifest', ...place }, Buffer.from(canonicalJson(content)));
}

/**
 * Reads the manifest of a dataset and checks it against the ledger: its form, the batches, their Merkle roots and the
 * dataset's own. The bytes' hash was checked by whoever fetched them by it.
 *
 * @throws ClientError `REPLAY_MISMATCH` naming the dataset and what differs.
 */
export function checkedManifest(
  bytes: Uint8Array,
  place: BlobPlace,
  dataset: JobAccess['datasets'][number],
): DatasetManifest {
  const differs = (what: string, cause?: unknown): ClientError =>
    new ClientError(
      'REPLAY_MISMATCH',
      `The manifest of dataset ${dataset.datasetId} of ${dataset.owner} ${what}.`,
      cause === undefined ? {} : { cause },
    );
  const text = Buffer.from(decodeBlob(bytes, { kind: 'manifest', ...place })).toString('utf8');
  let manifest: DatasetManifest;
  try {
    manifest = datasetManifest.parse(JSON.parse(text));
  } catch (cause) {
    throw differs('has not the form of a manifest', cause);
  }
  if (canonicalJson(manifest) !== text) throw differs('is not in canonical form');
  if (manifest.datasetId !== dataset.datasetId || manifest.epochId !== place.epochId) {
    throw differs('belongs to another dataset or key epoch');
  }
  const roots = manifest.batches.map(({ batchId, merkleRoot }) => ({ batchId, merkleRoot }));
  if (canonicalJson(roots) !== canonicalJson(dataset.batches)) {
    throw differs('names other batches than the ledger');
  }
  const wrong = manifest.batches.find(({ columns, merkleRoot }) => batchMerkleRoot(columns) !== merkleRoot);
  if (wrong) throw differs(`has columns in batch ${wrong.batchId} that do not have its Merkle root`);
  if (datasetMerkleRoot(roots) !== dataset.merkleRoot)
    throw differs('does not have the Merkle root on the ledger');
  return manifest;
}
