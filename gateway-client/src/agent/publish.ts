/** A dataset's first version: from records, or from the rows of a table as they are read. */
import type { Condition, Provenance, VersionAttestation } from '@strokeshare/chaincode';
import type { PatientRecord, Schema } from '@strokeshare/fhe';
import { LedgerError } from '../connect/index.js';
import { ClientError } from '../errors.js';
import {
  batchesOfDataset,
  batchIdOf,
  encryptBatch,
  EncryptionLimits,
  ownEpoch,
  requireSameBatch,
  type ColumnProgress,
} from './batches.js';
import { report, type AgentContext } from './context.js';
import { EntryQueue } from './entries.js';
import { ownPatients, partsOf, requirePatients, type OwnPatients } from './own-patients.js';
import { enterVersion, finishVersion } from './versions.js';

/** A dataset to be encrypted and entered. */
export interface NewDataset {
  datasetId: string;
  title: string;
  epochId: string;
  schema: Schema;
  minimumCohort: number;
  /** In terms of the Data Use Ontology: one permission, and modifiers. */
  conditions: Condition[];
  records: readonly PatientRecord[];
  /** The institution's own name for each patient, by which a consent is found again; kept in the internal zone alone. */
  patients: readonly string[];
  provenance: Provenance;
}

/** A dataset whose patients come some at a time, as a table is read. */
export interface StreamedDataset extends Omit<NewDataset, 'records' | 'patients'> {
  rows: AsyncIterable<OwnPatients> | Iterable<OwnPatients>;
}

/** Batches that are encrypted and stored at once: the workers have the next one while the last blobs are forced to disk. */
const BATCHES_ENCRYPTED = 3;

/**
 * Packs and encrypts records, stores the ciphertexts, enters the batches on the private channel, registers the dataset
 * and attests its first version. After a crash the same call goes on behind the last batch that was entered.
 *
 * @throws ClientError `REQUEST_INVALID` where the dataset's name stands for other records.
 */
export async function publishDataset(
  context: AgentContext,
  { records, patients, ...dataset }: NewDataset,
  progress: ColumnProgress = () => undefined,
): Promise<VersionAttestation> {
  const all = ownPatients(records, patients);
  requirePatients(all);
  return publishRows(context, { ...dataset, rows: [all] }, (done) => progress(done, records.length));
}

/**
 * The same from a stream of rows, of which five batches at most are in memory: one being read, one waiting, three being
 * encrypted. Every patient must have a name of its own; within a batch that is checked here.
 *
 * @param progress - told how many patients are encrypted.
 */
export async function publishRows(
  context: AgentContext,
  dataset: StreamedDataset,
  progress: (patients: number) => void = () => undefined,
): Promise<VersionAttestation> {
  const { datasetId, epochId, schema, rows, provenance } = dataset;
  const [epoch, registered, all] = await Promise.all([
    ownEpoch(context, epochId),
    isRegistered(context, datasetId),
    batchesOfDataset(context, datasetId),
  ]);
  const before = new Map(all.map((batch) => [batch.batchId, batch]));
  const limits = new EncryptionLimits();
  // Oldest first. Rows are read, batches are encrypted, and those before them are entered, all at once.
  const encrypting: Promise<unknown>[] = [];
  const entries = new EntryQueue(context, epoch);
  let patients = 0;
  let number = 0;
  try {
    for await (const part of ahead(partsOf(rows, epoch.set.slots))) {
      if (encrypting.length >= BATCHES_ENCRYPTED) await encrypting.shift();
      await entries.room();
      const batch = { schema, provenance, ...part };
      requirePatients(batch);
      const added = { datasetId, batchId: batchIdOf((number += 1)), batch };
      if (number === 1 && !registered) entries.begin(register(context, dataset).then(() => []));
      const same = before.get(added.batchId);
      if (same) {
        await requireSameBatch(context, epoch, added, same);
        progress((patients += part.patients.length));
        entries.begin(Promise.resolve([same]));
        continue;
      }
      let told = 0;
      const encrypted = encryptBatch(
        context,
        epoch,
        added,
        (done, all) => {
          const now = Math.floor((part.patients.length * done) / all);
          progress((patients += now - told));
          told = now;
        },
        limits,
      );
      encrypted.catch(() => undefined);
      encrypting.push(encrypted);
      entries.add(encrypted);
    }
  } finally {
    // Whatever else failed, what was begun is ended.
    await entries.settled();
  }
  const entered = await entries.all();
  if (entered.length === 0)
    throw new ClientError('REQUEST_INVALID', `There are no records for the dataset ${datasetId}.`);
  const finished = registered && (await finishVersion(context, datasetId));
  return finished || enterVersion(context, datasetId, epoch.epoch, entered);
}

/** Fetches one item while the one before it is worked on. */
async function* ahead<T>(items: AsyncGenerator<T>): AsyncGenerator<T> {
  const fetch = (): Promise<IteratorResult<T>> => {
    const fetched = items.next();
    fetched.catch(() => undefined);
    return fetched;
  };
  try {
    for (let next = fetch(); ;) {
      const { done, value } = await next;
      if (done) return;
      next = fetch();
      yield value;
    }
  } finally {
    await items.return(undefined);
  }
}

/** Whether the members have made the dataset's slot; one that has a version is not published again. */
async function isRegistered({ consortium, signal }: AgentContext, datasetId: string): Promise<boolean> {
  try {
    const { current } = await consortium.datasets.get({ datasetId }, { signal });
    if (current) throw new ClientError('REQUEST_INVALID', `The dataset ${datasetId} is published already.`);
    return true;
  } catch (error) {
    if (error instanceof LedgerError && error.contractCode === 'NOT_FOUND') return false;
    throw error;
  }
}

/** Has the members make the dataset's slot: what they refuse is known before much is encrypted. */
async function register(
  context: AgentContext,
  { datasetId, title, schema, minimumCohort, conditions }: StreamedDataset,
): Promise<void> {
  await context.consortium.datasets.register(
    { datasetId, title, schema, minimumCohort, conditions },
    { signal: context.signal },
  );
  report(context, 'dataset', datasetId, 'registered');
}
