/** Batches of encrypted columns on an institution's private channel, and the manifests that describe them. */
import { z } from 'zod';
import {
  columnName,
  identifier,
  instant,
  label,
  listRequest,
  mspId,
  positive,
  sha256,
  text,
} from './primitives.js';

/** A batch as the consortium sees it. */
export const batchRoot = z.strictObject({ batchId: identifier, merkleRoot: sha256 });

/** Batches of one version, of up to 8,192 patients each under the standard parameters: two million patients. */
export const MAXIMUM_BATCHES = 250;

/** Column name to the SHA-256 of its blob. */
export const columnHashes = z.record(columnName, sha256);

/** Body of the manifest blob of a dataset's version: where key holders find the blobs that they replay a job from. */
export const datasetManifest = z.strictObject({
  version: z.literal(1),
  datasetId: identifier,
  epochId: identifier,
  batches: z
    .array(batchRoot.extend({ columns: columnHashes }))
    .min(1)
    .max(MAXIMUM_BATCHES),
});
export type DatasetManifest = z.infer<typeof datasetManifest>;

/** Where a batch's records come from: enough to make it again from the original file, and to say who did. */
export const provenance = z.strictObject({
  /** SHA-256 of the source file as it was read. */
  sourceHash: sha256,
  /** SHA-256 of the canonical JSON of the mapping from the file's columns to the schema. */
  mappingHash: sha256,
  /** The build that read, packed and encrypted it. */
  software: label,
  readAt: instant,
  /** The person or service that loaded it, as the institution names it. */
  readBy: label,
  /** Citation or licence, where there is one. */
  attribution: text.optional(),
});
export type Provenance = z.infer<typeof provenance>;

export const endReasons = ['CORRECTION', 'CONSENT', 'EPOCH'] as const;
export type EndReason = (typeof endReasons)[number];

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
  provenance,
  /** The batch that this one replaces, and why. */
  supersedes: z
    .strictObject({ batchId: identifier, reason: z.enum(endReasons), retainUntil: instant })
    .optional(),
});
export type SubmitBatch = z.infer<typeof submitBatch>;

/** Batches of one transaction: the request's size is bounded besides. */
export const MAXIMUM_BATCHES_TOGETHER = 16;

/** Several batches of a table that is being loaded: as many transactions less. */
export const submitBatches = z.strictObject({
  ...submitBatch.pick({ datasetId: true, epochId: true, provenance: true }).shape,
  batches: z
    .array(submitBatch.omit({ datasetId: true, epochId: true, provenance: true, supersedes: true }))
    .min(1)
    .max(MAXIMUM_BATCHES_TOGETHER)
    .refine((batches) => new Set(batches.map(({ batchId }) => batchId)).size === batches.length, {
      message: 'a batch is named twice',
    }),
});
export type SubmitBatches = z.infer<typeof submitBatches>;

/** What was entered; the batches themselves are as long as the request. */
export const submittedBatches = z.strictObject({
  datasetId: identifier,
  batchIds: z.array(identifier),
  submittedAt: instant,
});
export type SubmittedBatches = z.infer<typeof submittedBatches>;

/** How a batch ended: no later version may name it. */
export const batchEnd = z.strictObject({
  reason: z.enum(endReasons),
  /** The batch that replaced it; none where it is a tombstone. */
  by: identifier.optional(),
  note: z.string().optional(),
  at: instant,
  /** Its blobs are kept so long, for replay; after that they may be erased. */
  retainUntil: instant,
});
export const batch = submitBatch.extend({
  owner: mspId,
  submittedBy: z.string(),
  submittedAt: instant,
  end: batchEnd.optional(),
});
export type Batch = z.infer<typeof batch>;

/** Takes a batch out without a successor. */
export const tombstoneBatch = z.strictObject({
  datasetId: identifier,
  batchId: identifier,
  reason: z.enum(['CORRECTION', 'CONSENT']),
  note: text,
  retainUntil: instant,
});
export type TombstoneBatch = z.infer<typeof tombstoneBatch>;

/** Of one dataset where it is named. */
export const listBatches = listRequest.extend({ datasetId: identifier.optional() });

export const getBatch = z.strictObject({ datasetId: identifier, batchId: identifier });
