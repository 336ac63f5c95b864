/** A dataset from its second version to its withdrawal. */
import type { VersionAttestation, Batch, DatasetUse, DatasetView, EndReason } from '@strokeshare/chaincode';
import { ClientError } from '../errors.js';
import {
  batchesOfDataset,
  batchIdOf,
  cut,
  enterBatch,
  ownEpoch,
  type ColumnProgress,
  type OwnEpoch,
} from './batches.js';
import { allPages, report, type AgentContext } from './context.js';
import { requirePatients, withoutPatients } from './own-patients.js';
import { readOwnBatch, removeOwnBatch, type LoadedBatch, type OwnBatch } from './own-records.js';
import { enterVersion, finishVersion } from './versions.js';

/** How long the blobs of a batch that ended are kept: running jobs and replays need them. */
const RETENTION_MS = 30 * 86_400_000;

/**
 * Adds patients to a dataset: new batches, and a version that has them too.
 *
 * @throws ClientError `REQUEST_INVALID` without a patient, or where the current version has the same source or one of
 *   the patients already: nobody counts twice.
 */
export async function appendRecords(
  context: AgentContext,
  datasetId: string,
  added: LoadedBatch,
  progress?: ColumnProgress,
): Promise<VersionAttestation> {
  requirePatients(added);
  const { dataset, epoch, all, members } = await openDataset(context, datasetId);
  const { sourceHash } = added.provenance;
  const same = members.find(({ provenance }) => provenance.sourceHash === sourceHash);
  if (same)
    throw new ClientError(
      'REQUEST_INVALID',
      `The table is in the dataset ${datasetId} already, in ${same.batchId}.`,
    );
  await requireNewPatients(context, datasetId, members, added);
  const parts = cut({ schema: dataset.schema, ...added }, epoch.set);
  const entered = await enterParts(context, epoch, datasetId, parts, all.length, progress);
  return enterVersion(context, datasetId, epoch.epoch, [...members, ...entered]);
}

/**
 * Puts corrected records in the place of one batch.
 *
 * @throws ClientError `REQUEST_INVALID` without a patient, or where another batch has one of them.
 */
export async function correctBatch(
  context: AgentContext,
  { datasetId, batchId }: { datasetId: string; batchId: string },
  corrected: LoadedBatch,
): Promise<VersionAttestation> {
  requirePatients(corrected);
  const open = await openDataset(context, datasetId);
  requireMember(open, batchId);
  const kept = open.members.filter((member) => member.batchId !== batchId);
  await requireNewPatients(context, datasetId, kept, corrected);
  const batch = { schema: open.dataset.schema, ...corrected };
  const entered = await replaceBatch(context, open, batchId, batch, 'CORRECTION', open.all.length);
  return enterVersion(context, datasetId, open.epoch.epoch, [...kept, ...entered]);
}

/** Names are compared, not told: a message may be printed. */
async function requireNewPatients(
  context: AgentContext,
  datasetId: string,
  staying: readonly Batch[],
  { patients }: LoadedBatch,
): Promise<void> {
  if (patients.length === 0)
    throw new ClientError('REQUEST_INVALID', `There are no records for the dataset ${datasetId}.`);
  const names = new Set(patients);
  for (const { batchId } of staying) {
    const own = await readOwnBatch(context, { datasetId, batchId });
    const twice = own.patients.filter((patient) => names.has(patient)).length;
    if (twice > 0)
      throw new ClientError(
        'REQUEST_INVALID',
        `The dataset ${datasetId} has ${twice} of these ${names.size} patients already, in ${batchId}: they would count twice.`,
      );
  }
}

/** What a withdrawal of consent did. */
export interface ConsentWithdrawal {
  /** Patients that were found and taken out. */
  withdrawn: string[];
  version: VersionAttestation;
  /** Jobs whose results used the batches that the patients were in. */
  uses: DatasetUse[];
}

/**
 * Takes patients out of a dataset: every batch that has one of them is made again without them, their original records
 * leave the vault, and no version before the new one is used any more, not by running jobs either. What was released
 * before cannot be taken back: those jobs are listed.
 *
 * @throws ClientError `REQUEST_INVALID` when the dataset has none of them, or no patient would be left.
 */
export async function withdrawConsent(
  context: AgentContext,
  datasetId: string,
  patients: readonly string[],
): Promise<ConsentWithdrawal> {
  const leaving = new Set(patients);
  const open = await openDataset(context, datasetId);
  const next: Batch[] = [];
  const withdrawn: string[] = [];
  const touched: string[] = [];
  const remaining: (() => Promise<Batch[]>)[] = [];
  let number = open.all.length;
  for (const member of open.members) {
    const { batchId } = member;
    const own = await readOwnBatch(context, { datasetId, batchId });
    const found = own.patients.filter((patient) => leaving.has(patient));
    if (found.length === 0) {
      next.push(member);
      continue;
    }
    touched.push(batchId);
    withdrawn.push(...found);
    const left = { ...own, ...withoutPatients(own, leaving) };
    const before = number;
    number += left.patients.length > 0 ? 1 : 0;
    remaining.push(() =>
      left.patients.length > 0
        ? replaceBatch(context, open, batchId, left, 'CONSENT', before)
        : endBatch(context, datasetId, batchId),
    );
  }
  if (withdrawn.length === 0)
    throw new ClientError('REQUEST_INVALID', `The dataset ${datasetId} has none of these patients.`);
  if (next.length === 0 && number === open.all.length)
    throw new ClientError('REQUEST_INVALID', `No patient would be left: withdraw the dataset ${datasetId}.`);
  for (const replace of remaining) next.push(...(await replace()));
  const version = await enterVersion(context, datasetId, open.epoch.epoch, next);
  for (const batchId of touched) await removeOwnBatch(context, { datasetId, batchId });
  const uses = await Promise.all(touched.map((batchId) => usesOf(context, datasetId, batchId)));
  const byJob = new Map(uses.flat().map((use) => [use.jobId, use]));
  return { withdrawn, version, uses: [...byJob.values()] };
}

/** Encrypts a dataset's records again under the key of another epoch: its next version. */
export async function moveDataset(
  context: AgentContext,
  datasetId: string,
  epochId: string,
  progress?: ColumnProgress,
): Promise<VersionAttestation> {
  await finishVersion(context, datasetId);
  const dataset = await ownDataset(context, datasetId);
  const epoch = await ownEpoch(context, epochId);
  const all = await batchesOfDataset(context, datasetId);
  const interrupted = all.some((batch) => batch.epochId === epochId);
  const next: Batch[] = [];
  for (const member of membersOf(dataset, all).flatMap((batch) => successorOf(batch, all))) {
    if (member.epochId === epochId) {
      next.push(member);
      continue;
    }
    const own = await readOwnBatch(context, { datasetId, batchId: member.batchId });
    const parts = cut(own, epoch.set);
    next.push(
      ...(await enterParts(context, epoch, datasetId, parts, all.length + next.length, progress, {
        batchId: member.batchId,
        reason: 'EPOCH',
        retainUntil: retainUntil(),
      })),
    );
  }
  if (interrupted) {
    requireWhole(datasetId, await batchesOfDataset(context, datasetId), next);
  }
  return enterVersion(context, datasetId, epoch.epoch, next);
}

/** Takes a dataset out of all future use, running jobs included, and lists the jobs that used it. */
export async function withdrawDataset(
  context: AgentContext,
  datasetId: string,
  reason: string,
): Promise<{ dataset: DatasetView; uses: DatasetUse[] }> {
  const { consortium, signal } = context;
  const dataset = await consortium.datasets.withdraw({ datasetId, reason }, { signal });
  report(context, 'dataset', datasetId, 'withdrawn');
  return { dataset, uses: await usesOf(context, datasetId) };
}

/** The jobs that used a dataset, or one of its batches, as they stand now. */
export function usesOf(
  { consortium, signal }: AgentContext,
  datasetId: string,
  batchId?: string,
): Promise<DatasetUse[]> {
  const asked = { datasetId, ...(batchId !== undefined && { batchId }) };
  return allPages((after) =>
    consortium.datasets.listUses({ ...asked, ...(after !== undefined && { after }) }, { signal }),
  );
}

/** A dataset with everything that its next version starts from. */
interface OpenDataset {
  dataset: DatasetView;
  epoch: OwnEpoch;
  /** All batches that it ever had. */
  all: Batch[];
  /** Those of the current version. */
  members: Batch[];
}

async function openDataset(context: AgentContext, datasetId: string): Promise<OpenDataset> {
  const { dataset, all, members } = await settledDataset(context, datasetId);
  return { dataset, all, members, epoch: await ownEpoch(context, dataset.current?.epochId ?? '') };
}

/** The dataset after whatever was interrupted in the middle is finished: its current version has no batch that ended. */
async function settledDataset(context: AgentContext, datasetId: string): Promise<Omit<OpenDataset, 'epoch'>> {
  await finishVersion(context, datasetId);
  const dataset = await ownDataset(context, datasetId);
  const all = await batchesOfDataset(context, datasetId);
  const members = membersOf(dataset, all);
  if (members.every(({ end }) => end === undefined)) return { dataset, all, members };
  const next = members.flatMap((member) => successorOf(member, all));
  requireWhole(datasetId, all, next);
  const { epoch } = await ownEpoch(context, next[0]?.epochId ?? '');
  await enterVersion(context, datasetId, epoch, next);
  return { dataset: await ownDataset(context, datasetId), all, members: next };
}

/** After an interrupted change: every batch that is in force belongs to the next version, and all to one epoch. */
function requireWhole(datasetId: string, all: readonly Batch[], next: readonly Batch[]): void {
  const inForce = all.filter(({ end }) => end === undefined);
  if (inForce.length === next.length && new Set(next.map(({ epochId }) => epochId)).size === 1) return;
  throw new ClientError(
    'REQUEST_INVALID',
    `A change of ${datasetId} was interrupted between its batches: withdraw the dataset and publish it anew.`,
  );
}

/** The batch itself or, where it ended, what stands in its place; nothing behind a tombstone. */
function successorOf(batch: Batch, all: readonly Batch[]): Batch[] {
  if (!batch.end) return [batch];
  const next = all.find(({ batchId }) => batchId === batch.end?.by);
  return next ? successorOf(next, all) : [];
}

/** @throws ClientError `REQUEST_INVALID` unless the dataset is this institution's and has a version. */
async function ownDataset(
  { consortium, mspId, signal }: AgentContext,
  datasetId: string,
): Promise<DatasetView> {
  const dataset = await consortium.datasets.get({ datasetId }, { signal });
  if (dataset.owner !== mspId || dataset.status !== 'ACTIVE') {
    throw new ClientError(
      'REQUEST_INVALID',
      `The dataset ${datasetId} of ${dataset.owner} is ${dataset.status}: ${mspId} cannot change it.`,
    );
  }
  return dataset;
}

function membersOf({ datasetId, current }: DatasetView, all: readonly Batch[]): Batch[] {
  return (current?.batches ?? []).map(({ batchId, merkleRoot }) => {
    const batch = all.find((candidate) => candidate.batchId === batchId);
    if (batch?.merkleRoot !== merkleRoot) {
      throw new ClientError('REPLAY_MISMATCH', `The batch ${batchId} of ${datasetId} is another one here.`);
    }
    return batch;
  });
}

async function enterParts(
  context: AgentContext,
  epoch: OwnEpoch,
  datasetId: string,
  parts: readonly OwnBatch[],
  before: number,
  progress: ColumnProgress = () => undefined,
  supersedes?: { batchId: string; reason: EndReason; retainUntil: string },
): Promise<Batch[]> {
  const entered: Batch[] = [];
  for (const [index, batch] of parts.entries()) {
    const batchId = batchIdOf(before + index + 1);
    // A batch that needs several in its place is superseded by the last of them, when all are there.
    const last = index === parts.length - 1 && supersedes ? { supersedes } : {};
    entered.push(
      await enterBatch(context, epoch, { datasetId, batchId, batch, ...last }, (done, all) =>
        progress(index * all + done, parts.length * all),
      ),
    );
  }
  return entered;
}

function requireMember({ dataset: { datasetId }, members }: OpenDataset, batchId: string): void {
  if (members.some((member) => member.batchId === batchId)) return;
  throw new ClientError('REQUEST_INVALID', `The current version of ${datasetId} has no batch ${batchId}.`);
}

function replaceBatch(
  context: AgentContext,
  { dataset: { datasetId }, epoch }: OpenDataset,
  batchId: string,
  batch: OwnBatch,
  reason: EndReason,
  before: number,
): Promise<Batch[]> {
  const supersedes = { batchId, reason, retainUntil: retainUntil() };
  return enterParts(context, epoch, datasetId, cut(batch, epoch.set), before, undefined, supersedes);
}

async function endBatch(context: AgentContext, datasetId: string, batchId: string): Promise<Batch[]> {
  await context.records.records.tombstoneBatch(
    { datasetId, batchId, reason: 'CONSENT', note: 'All its patients withdrew.', retainUntil: retainUntil() },
    { endorsingOrganizations: [context.mspId], signal: context.signal },
  );
  return [];
}

/** The ledger's clock may be ahead of this one by minutes; the retention is days. */
const retainUntil = (): string => new Date(Date.now() + RETENTION_MS).toISOString();
