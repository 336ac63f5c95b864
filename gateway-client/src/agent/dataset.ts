import {
  batchMerkleRoot,
  type Condition,
  datasetMerkleRoot,
  type Dataset,
  type DatasetManifest,
  type EpochView,
} from '@strokeshare/chaincode';
import {
  blobHash,
  packColumns,
  parameterSetById,
  requireSecure,
  type ColumnBatch,
  type Schema,
} from '@strokeshare/fhe';
import { ClientError } from '../errors.js';
import { epochKeys, report, type AgentContext } from './context.js';
import { manifestBlob } from './manifest.js';
import { storeOwnRecords, type OwnRecord } from './own-records.js';

/** A dataset to be encrypted and entered. */
export interface NewDataset {
  datasetId: string;
  title: string;
  epochId: string;
  schema: Schema;
  records: readonly OwnRecord[];
  minimumCohort: number;
  /** In terms of the Data Use Ontology: one permission, and modifiers. */
  conditions: Condition[];
  /** Where the records come from, for the batch's own manifest, which stays with the owner. */
  provenance: Record<string, string>;
}

/** Columns encrypted in one request, so that a worker serves others in between. */
const COLUMNS_AT_ONCE = 8;

/**
 * Packs and encrypts records, stores the ciphertexts, enters the batches on the private channel and the dataset on
 * the consortium channel.
 *
 * @param progress - told after every few columns how many are done and how many there are.
 */
export async function publishDataset(
  context: AgentContext,
  dataset: NewDataset,
  progress: (done: number, all: number) => void = () => undefined,
): Promise<Dataset> {
  const { consortium, signal } = context;
  const { datasetId, epochId, schema, records } = dataset;
  const epoch = await consortium.epochs.get({ epochId }, { signal });
  requireOwnEpoch(context, epoch);
  const set = requireSecure(parameterSetById(epoch.parameterSetId));

  await storeOwnRecords(context, datasetId, schema, records);
  const { batches } = packColumns(schema, records, set);
  context.ownColumns.set(`${datasetId} ${set.id}`, Promise.resolve(batches));

  const all = batches.reduce((sum, { columns }) => sum + columns.size, 0);
  const entered: DatasetManifest['batches'] = [];
  let before = 0;
  for (const [index, batch] of batches.entries()) {
    const batchId = `batch-${String(index + 1).padStart(4, '0')}`;
    const columns = await encryptBatch(context, epoch, batch, (done) => progress(before + done, all));
    entered.push(await enterBatch(context, epoch, dataset, batchId, batch.rows, columns));
    before += batch.columns.size;
  }
  return enterDataset(context, epoch, dataset, entered);
}

/** Encrypts under no key that this institution did not make itself. */
function requireOwnEpoch(context: AgentContext, epoch: EpochView): void {
  const own = epoch.confirmations[context.mspId];
  const same = own?.publicKeyHash === epoch.publicKeyHash && own?.relinKeysHash === epoch.relinKeysHash;
  if (epoch.state !== 'ACTIVE') {
    throw new ClientError(
      'POLICY_REFUSED',
      `The key epoch ${epoch.epochId} is ${epoch.state}, so nothing is encrypted.`,
    );
  }
  if (!epoch.members.includes(context.mspId)) return;
  if (!same)
    throw new ClientError('REPLAY_MISMATCH', `The keys of ${epoch.epochId} are not the ones confirmed here.`);
}

async function encryptBatch(
  context: AgentContext,
  epoch: EpochView,
  { columns }: ColumnBatch,
  progress: (done: number) => void,
): Promise<Record<string, string>> {
  const { evaluators, store, signal } = context;
  const set = parameterSetById(epoch.parameterSetId);
  const names = [...columns.keys()];
  const hashes: Record<string, string> = {};
  for (let start = 0; start < names.length; start += COLUMNS_AT_ONCE) {
    const part = names.slice(start, start + COLUMNS_AT_ONCE);
    const evaluator = await evaluators.forEncryption(set, epochKeys(context, epoch));
    const blobs = await evaluator.encryptColumns(
      epoch.epochId,
      part.map((name) => columns.get(name) ?? new Float64Array(set.slots)),
      { signal },
    );
    await Promise.all(
      blobs.map(async (blob, index) => {
        hashes[part[index] ?? ''] = await store.put(blob);
      }),
    );
    progress(start + part.length);
  }
  return hashes;
}

async function enterBatch(
  context: AgentContext,
  epoch: EpochView,
  { datasetId, epochId, provenance }: NewDataset,
  batchId: string,
  rows: number,
  columns: Record<string, string>,
): Promise<DatasetManifest['batches'][number]> {
  const merkleRoot = batchMerkleRoot(columns);
  const place = { parameterSetId: epoch.parameterSetId, epochId };
  const manifest = manifestBlob(place, { version: 1, datasetId, batchId, rows, provenance, columns });
  const manifestHash = await context.store.put(manifest);
  await context.records.records.submitBatch(
    { batchId, datasetId, epochId, manifestHash, merkleRoot, rows, columns },
    { endorsingOrganizations: [context.mspId], signal: context.signal },
  );
  report(context, 'dataset', datasetId, `entered ${batchId} with ${Object.keys(columns).length} columns`);
  return { batchId, merkleRoot, columns };
}

async function enterDataset(
  context: AgentContext,
  epoch: EpochView,
  { datasetId, title, epochId, schema, records, minimumCohort, conditions }: NewDataset,
  batches: DatasetManifest['batches'],
): Promise<Dataset> {
  const manifest: DatasetManifest = { version: 1, datasetId, epochId, batches };
  const blob = manifestBlob({ parameterSetId: epoch.parameterSetId, epochId }, manifest);
  await context.store.put(blob);
  const roots = batches.map(({ batchId, merkleRoot }) => ({ batchId, merkleRoot }));
  const dataset = await context.consortium.datasets.register(
    {
      datasetId,
      title,
      epochId,
      schema,
      manifestHash: blobHash(blob),
      merkleRoot: datasetMerkleRoot(roots),
      batches: roots,
      countsBand: bandOf(records.length),
      minimumCohort,
      conditions,
    },
    { signal: context.signal },
  );
  report(context, 'dataset', datasetId, 'registered');
  return dataset;
}

/** Says how many patients there are without saying it exactly: to the thousand below and above. */
function bandOf(count: number): { minimum: number; maximum: number } {
  const minimum = Math.floor(count / 1000) * 1000;
  return { minimum, maximum: minimum + 1000 };
}
