/// <reference lib="es2024.arraybuffer" />
/** Entering batches: packed, encrypted, stored, and recorded on the private channel with where they come from. */
import {
  batchMerkleRoot,
  type Batch,
  type EpochView,
  type Provenance,
  type SubmitBatch,
  type SubmitBatches,
} from '@strokeshare/chaincode';
import {
  canonicalJson,
  packFields,
  parameterSetById,
  requireSecure,
  type ColumnBatch,
  type ParameterSet,
} from '@strokeshare/fhe';
import { ClientError } from '../errors.js';
import { allPages, epochKeys, report, type AgentContext } from './context.js';
import { Limit } from './limit.js';
import { manifestBlob } from './manifest.js';
import { slicePatients } from './own-patients.js';
import { readOwnBatch, storeOwnBatch, type OwnBatch } from './own-records.js';

/** Columns of one part: encrypted in one request, so that a worker serves others in between. */
const COLUMNS_AT_ONCE = 8;
/** Parts that are encrypted at once: the workers have the next one when they are done with one. */
const PARTS_ENCRYPTED = 2;
/** Parts whose ciphertexts are in memory: encrypted, or on their way to the disk. */
const PARTS_HELD = 4;

/** What batches that are encrypted at once share: how much of them is under way, in the order of their beginning. */
export class EncryptionLimits {
  readonly encrypted = new Limit(PARTS_ENCRYPTED);
  readonly held = new Limit(PARTS_HELD);
}

/** Told after every few columns how many are done and how many there are. */
export type ColumnProgress = (done: number, all: number) => void;

/** An epoch that this institution encrypts under, with its parameter set. */
export interface OwnEpoch {
  epoch: EpochView;
  set: ParameterSet;
}

/**
 * Reads an epoch for encryption: active, and under no key that this institution did not make itself, if it is one of
 * its members.
 *
 * @throws ClientError `POLICY_REFUSED`, `REPLAY_MISMATCH`.
 */
export async function ownEpoch(context: AgentContext, epochId: string): Promise<OwnEpoch> {
  const { consortium, mspId, signal } = context;
  const epoch = await consortium.epochs.get({ epochId }, { signal });
  if (epoch.state !== 'ACTIVE') {
    throw new ClientError(
      'POLICY_REFUSED',
      `The key epoch ${epochId} is ${epoch.state}, so nothing is encrypted.`,
    );
  }
  const own = epoch.confirmations[mspId];
  const same = own?.publicKeyHash === epoch.publicKeyHash && own?.relinKeysHash === epoch.relinKeysHash;
  if (epoch.members.includes(mspId) && !same)
    throw new ClientError('REPLAY_MISMATCH', `The keys of ${epochId} are not the ones confirmed here.`);
  return { epoch, set: requireSecure(parameterSetById(epoch.parameterSetId)) };
}

/** All batches that a dataset ever had, in the order of their ids. */
export function batchesOfDataset({ records, signal }: AgentContext, datasetId: string): Promise<Batch[]> {
  return allPages((after) =>
    records.records.listBatches({ datasetId, ...(after !== undefined && { after }) }, { signal }),
  );
}

/** The id of the n-th batch of a dataset, from 1 on. */
export function batchIdOf(number: number): string {
  return `batch-${String(number).padStart(4, '0')}`;
}

/** Patients cut to what one batch of a parameter set holds. */
export function cut(batch: OwnBatch, { slots }: ParameterSet): OwnBatch[] {
  const parts: OwnBatch[] = [];
  for (let start = 0; start < batch.patients.length; start += slots)
    parts.push({ ...batch, ...slicePatients(batch, start, start + slots) });
  return parts;
}

/** A batch to be entered: no more records than one batch holds. */
export interface NewBatch {
  datasetId: string;
  batchId: string;
  batch: OwnBatch;
  supersedes?: NonNullable<SubmitBatch['supersedes']>;
}

/** A batch whose ciphertexts are stored, and its original records, which nobody needs any more. */
export interface EncryptedBatch extends Omit<NewBatch, 'batch'> {
  provenance: Provenance;
  rows: number;
  /** Hash by column. */
  columns: Record<string, string>;
}

/** Encrypts and enters one batch. */
export async function enterBatch(
  context: AgentContext,
  epoch: OwnEpoch,
  added: NewBatch,
  progress?: ColumnProgress,
): Promise<Batch> {
  return enterEncrypted(context, epoch, await encryptBatch(context, epoch, added, progress));
}

/** Encrypts one batch, and stores its ciphertexts and its original records. */
export async function encryptBatch(
  context: AgentContext,
  epoch: OwnEpoch,
  added: NewBatch,
  progress: ColumnProgress = () => undefined,
  limits = new EncryptionLimits(),
): Promise<EncryptedBatch> {
  const { batch, ...named } = added;
  const { datasetId, batchId } = named;
  const [packed] = packFields(batch.schema, batch.fields, batch.patients.length, epoch.set).batches;
  if (!packed)
    throw new ClientError('REQUEST_INVALID', `The batch ${batchId} of ${datasetId} has no records.`);
  const [columns] = await Promise.all([
    encryptColumns(context, epoch, packed, progress, limits),
    storeOwnBatch(context, { datasetId, batchId }, batch),
  ]);
  return { ...named, provenance: batch.provenance, rows: packed.rows, columns };
}

/** Enters a batch on the private channel. */
async function enterEncrypted(
  context: AgentContext,
  epoch: OwnEpoch,
  encrypted: EncryptedBatch,
): Promise<Batch> {
  const { datasetId, provenance, supersedes } = encrypted;
  const { epochId } = epoch.epoch;
  const request = await requestOf(context, epoch, encrypted);
  const entered = await context.records.records.submitBatch(
    { ...request, datasetId, epochId, provenance, ...(supersedes && { supersedes }) },
    { endorsingOrganizations: [context.mspId], signal: context.signal },
  );
  reportEntered(context, datasetId, request);
  return entered;
}

/** A batch as a version names it. */
export type EnteredBatch = Pick<Batch, 'batchId' | 'merkleRoot' | 'columns'>;

/** A new batch as the ledger is told of it. */
export type BatchRequest = SubmitBatches['batches'][number];

/** A batch's manifest, stored, and what the ledger is told of the batch. */
export async function requestOf(
  { store }: AgentContext,
  { epoch: { epochId }, set }: OwnEpoch,
  { datasetId, batchId, provenance, rows, columns }: EncryptedBatch,
): Promise<BatchRequest> {
  const manifest = { version: 1, datasetId, batchId, rows, provenance, columns };
  const manifestHash = await store.put(manifestBlob({ parameterSetId: set.id, epochId }, manifest));
  return { batchId, manifestHash, merkleRoot: batchMerkleRoot(columns), rows, columns };
}

export function reportEntered(
  context: AgentContext,
  datasetId: string,
  { batchId, columns }: BatchRequest,
): void {
  report(context, 'dataset', datasetId, `entered ${batchId} with ${Object.keys(columns).length} columns`);
}

/**
 * Takes a batch that was entered before a crash for the one that would be entered now.
 *
 * @throws ClientError `REQUEST_INVALID` where that one was made from other records, or under another epoch.
 */
export async function requireSameBatch(
  context: AgentContext,
  epoch: OwnEpoch,
  { datasetId, batchId, batch }: NewBatch,
  before: Batch,
): Promise<void> {
  const own = await readOwnBatch(context, { datasetId, batchId });
  // A field that nobody has a value of is the same as none: originals stored record by record may not name it.
  const content = ({ schema, fields, patients }: OwnBatch): string => {
    const known = [...fields].filter(([, values]) => values.some((value) => value !== null));
    return canonicalJson({ schema, fields: Object.fromEntries(known), patients });
  };
  if (before.end || before.epochId !== epoch.epoch.epochId || content(own) !== content(batch)) {
    throw new ClientError(
      'REQUEST_INVALID',
      `The batch ${batchId} of ${datasetId} was entered from other records: give the dataset another name.`,
    );
  }
}

async function encryptColumns(
  context: AgentContext,
  { epoch, set }: OwnEpoch,
  { columns }: ColumnBatch,
  progress: ColumnProgress,
  { encrypted, held }: EncryptionLimits,
): Promise<Record<string, string>> {
  const { evaluators, store, signal } = context;
  const names = [...columns.keys()];
  const hashes: Record<string, string> = {};
  const parts = Array.from({ length: Math.ceil(names.length / COLUMNS_AT_ONCE) }, (_, i) =>
    names.slice(i * COLUMNS_AT_ONCE, (i + 1) * COLUMNS_AT_ONCE),
  );
  const evaluator = await evaluators.forEncryption(set, epochKeys(context, epoch));
  let done = 0;
  let failed = false;
  const encryptPart = async (part: readonly string[]): Promise<void> => {
    // What waits behind a failure is not begun.
    if (failed) return;
    try {
      const blobs = await encrypted.run(() =>
        evaluator.encryptColumns(
          epoch.epochId,
          part.map((name) => columns.get(name) ?? new Float64Array(set.slots)),
          { signal },
        ),
      );
      await Promise.all(
        blobs.map(async (blob, i) => {
          hashes[part[i] ?? ''] = await store.put(blob);
          giveBack(blob);
        }),
      );
    } catch (error) {
      failed = true;
      throw error;
    }
    progress((done += part.length), names.length);
  };
  const ends = await Promise.allSettled(parts.map((part) => held.run(() => encryptPart(part))));
  const failure = ends.find((end) => end.status === 'rejected');
  if (failure) throw failure.reason;
  return hashes;
}

/** Frees a ciphertext's memory at once: a megabyte each, collections would be all that the main thread does. */
function giveBack(blob: Uint8Array): void {
  if (blob.byteLength === blob.buffer.byteLength && blob.buffer instanceof ArrayBuffer)
    blob.buffer.transfer(0);
}
