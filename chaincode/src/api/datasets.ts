/** Datasets on the consortium channel, and the batches on the private ones that they are made of. */
import { schemaShape } from '@strokeshare/fhe';
import { z } from 'zod';
import { conditions } from './dataUse.js';
import {
  columnName,
  count,
  identifier,
  instant,
  label,
  mspId,
  positive,
  sha256,
  text,
} from './primitives.js';

/** A batch as the consortium sees it. */
export const batchRoot = z.strictObject({ batchId: identifier, merkleRoot: sha256 });

export const registerDataset = z.strictObject({
  datasetId: identifier,
  title: label,
  epochId: identifier,
  /** The data dictionary; equal for all datasets of one job. */
  schema: schemaShape,
  /** Hash of the manifest blob, whose body is the canonical JSON of a {@link DatasetManifest}. */
  manifestHash: sha256,
  /** {@link datasetMerkleRoot} of the batches; the contract checks it. */
  merkleRoot: sha256,
  /** In ascending order of their ids. */
  batches: z.array(batchRoot).min(1).max(100),
  /** How many patients, roughly. */
  countsBand: z.strictObject({ minimum: count, maximum: positive }),
  /** No count below this is released. */
  minimumCohort: positive,
  /** In terms of the Data Use Ontology: one permission, and modifiers that all hold. */
  conditions,
});
export type RegisterDataset = z.infer<typeof registerDataset>;

export const dataset = registerDataset.extend({
  owner: mspId,
  status: z.enum(['ACTIVE', 'WITHDRAWN']),
  registeredAt: instant,
  withdrawal: z.strictObject({ reason: z.string(), at: instant }).optional(),
});
export type Dataset = z.infer<typeof dataset>;
export const withdrawDataset = z.strictObject({ datasetId: identifier, reason: text });
export type WithdrawDataset = z.infer<typeof withdrawDataset>;
export const getDataset = z.strictObject({ datasetId: identifier });

/** Column name to the SHA-256 of its blob. */
export const columnHashes = z.record(columnName, sha256);

/** Body of the manifest blob of a dataset: where key holders find the blobs that they replay a job from. */
export const datasetManifest = z.strictObject({
  version: z.literal(1),
  datasetId: identifier,
  epochId: identifier,
  batches: z
    .array(batchRoot.extend({ columns: columnHashes }))
    .min(1)
    .max(100),
});
export type DatasetManifest = z.infer<typeof datasetManifest>;

export const submitBatch = z.strictObject({
  batchId: identifier,
  datasetId: identifier,
  epochId: identifier,
  /** Hash of the batch's own manifest (provenance, counts), which stays with the owner. */
  manifestHash: sha256,
  /** {@link batchMerkleRoot} of the columns; the contract checks it. */
  merkleRoot: sha256,
  rows: positive,
  columns: columnHashes,
});
export type SubmitBatch = z.infer<typeof submitBatch>;
export const batch = submitBatch.extend({ owner: mspId, submittedAt: instant });
export type Batch = z.infer<typeof batch>;
export const getBatch = z.strictObject({ datasetId: identifier, batchId: identifier });
