/**
 * Datasets on the consortium channel, and what they are made of on the owner's private one. A dataset is a sequence of
 * versions: each names the batches that belong to it, and is the owner's word, attested in a slot of its own.
 */
import { schemaShape } from '@strokeshare/fhe';
import { z } from 'zod';
import { batchRoot, MAXIMUM_BATCHES } from './batches.js';
import { conditions } from './dataUse.js';
import {
  count,
  distinct,
  identifier,
  instant,
  label,
  listRequest,
  mspId,
  positive,
  sha256,
  text,
} from './primitives.js';

/** What stays the same in all versions. */
export const registerDataset = z.strictObject({
  datasetId: identifier,
  title: label,
  /** The data dictionary; equal for all datasets of one job. */
  schema: schemaShape,
  /** No count below this is released. */
  minimumCohort: positive,
  /** In terms of the Data Use Ontology: one permission, and modifiers that all hold. */
  conditions,
});
export type RegisterDataset = z.infer<typeof registerDataset>;

export const datasetRecord = registerDataset.extend({
  owner: mspId,
  registeredAt: instant,
  /** Versions that have a slot; the last one waits for its attestation, or is the current one. */
  versions: positive,
  withdrawal: z.strictObject({ reason: z.string(), at: instant }).optional(),
});
export type DatasetRecord = z.infer<typeof datasetRecord>;

/** Why a version differs from the one before. */
export const versionChanges = [
  'FIRST',
  'APPEND',
  /** A batch was left out or replaced by a corrected one. */
  'CORRECTION',
  /** A patient withdrew consent: no version before this one is used any more, running jobs included. */
  'CONSENT',
  /** The same records under the key of another epoch. */
  'EPOCH',
] as const;
export type VersionChange = (typeof versionChanges)[number];

/** One version, as the owner's private channel records it and its attestation repeats it. */
export const versionContent = z.strictObject({
  datasetId: identifier,
  /** From 1 on, without gaps. */
  version: positive,
  change: z.enum(versionChanges),
  /** The first version that may still be used, by running jobs too. */
  usableFrom: positive,
  epochId: identifier,
  /** Hash of the manifest blob, whose body is the canonical JSON of a dataset manifest. */
  manifestHash: sha256,
  /** {@link datasetMerkleRoot} of the batches. */
  merkleRoot: sha256,
  /** In ascending order of their ids. */
  batches: z.array(batchRoot).min(1).max(MAXIMUM_BATCHES),
  /** How many patients, roughly: to the thousand below and above. */
  countsBand: z.strictObject({ minimum: count, maximum: positive }),
});
export type VersionContent = z.infer<typeof versionContent>;

export const versionRecord = versionContent.extend({
  owner: mspId,
  /** Id of the private channel's transaction that recorded it. */
  transactionId: sha256,
  recordedAt: instant,
});
export type VersionRecord = z.infer<typeof versionRecord>;

/** Records a version on the private channel; the contract derives everything else from the batches. */
export const submitVersion = z.strictObject({
  datasetId: identifier,
  version: positive,
  epochId: identifier,
  manifestHash: sha256,
  /** In ascending order. */
  batchIds: distinct(identifier, 1, MAXIMUM_BATCHES),
});
export type SubmitVersion = z.infer<typeof submitVersion>;

/**
 * The owner's word that a version is on its private channel, made immutable: the owner's peer alone endorses it, so it
 * proves nothing to others beyond that the owner said it then.
 */
export const versionAttestation = versionContent.extend({
  recordsChannel: z.string(),
  /** The private transaction that recorded the version, which the contract read across channels. */
  transactionId: sha256,
  /** The private block that holds it, as the owner states it: whoever reads that channel can look it up. */
  block: z.int().positive(),
  attestedAt: instant,
});
export type VersionAttestation = z.infer<typeof versionAttestation>;
/** Made empty with the version; after that the owner's own peer endorses what is written there, and no other. */
export const emptyVersionSlot = z.strictObject({ owner: mspId });

export const attestVersion = z.strictObject({
  datasetId: identifier,
  version: positive,
  /** The owner's private channel. */
  recordsChannel: z.string().regex(/^[a-z][a-z0-9.-]{0,248}$/, 'must be the name of a channel'),
  block: z.int().positive(),
});
export type AttestVersion = z.infer<typeof attestVersion>;

/** A dataset with one attested version: what a job rests on. */
export const dataset = datasetRecord.extend(versionAttestation.shape).extend({
  /** SUPERSEDED: a later version took a patient out who withdrew consent. */
  status: z.enum(['ACTIVE', 'SUPERSEDED', 'WITHDRAWN']),
});
export type Dataset = z.infer<typeof dataset>;

export const datasetView = datasetRecord.extend({
  /** REGISTERED until the first version is attested. */
  status: z.enum(['REGISTERED', 'ACTIVE', 'WITHDRAWN']),
  /** The newest attested version. */
  current: versionAttestation.optional(),
});
export type DatasetView = z.infer<typeof datasetView>;

export const withdrawDataset = z.strictObject({ datasetId: identifier, reason: text });
export type WithdrawDataset = z.infer<typeof withdrawDataset>;
export const getDataset = z.strictObject({ datasetId: identifier });
export const getVersion = z.strictObject({ datasetId: identifier, version: positive });
export const listVersions = listRequest.extend({ datasetId: identifier });

/** Which jobs used a dataset: all of them, or those whose version has one batch. */
export const listUses = listRequest.extend({ datasetId: identifier, batchId: identifier.optional() });
export type ListUses = z.infer<typeof listUses>;
/** Written when a job is accepted. */
export const datasetUseRecord = z.strictObject({ jobId: identifier, version: positive });
