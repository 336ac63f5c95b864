/**
 * A dataset's entry, in two steps: under the channel's policy the slot of a version is made, with the owner's key-level
 * policy; then the owner attests, endorsed by its own peer alone, whose contract reads the version across channels and
 * writes that one key.
 */
import { type z } from 'zod';
import {
  type VersionAttestation,
  type AttestVersion,
  type DatasetRecord,
  type DatasetView,
  type listVersions as listVersionsRequest,
  type RegisterDataset,
  versionRecord,
  type WithdrawDataset,
} from '../api/datasets.js';
import { privateRecords } from '../api/transactions.js';
import { pend } from '../endorsement/sharing.js';
import { ContractError } from '../errors.js';
import { readAcross } from '../ledger/acrossChannels.js';
import { datasetRecords, datasetVersions, epochRecords, numberKey } from '../ledger/kinds.js';
import { type Ledger } from '../ledger/ledger.js';
import { type Transaction } from '../ledger/transaction.js';
import { requireState } from '../states/machine.js';
import { attestedVersion, viewDataset } from './datasetState.js';
import { requireUsable } from './epochUse.js';

/** Registers a dataset, with the slot of its first version. */
export async function register(transaction: Transaction, request: RegisterDataset): Promise<DatasetView> {
  const { ledger, caller, at } = transaction;
  const { datasetId } = request;
  const record: DatasetRecord = { ...request, owner: caller.mspId, registeredAt: at, versions: 1 };
  await ledger.create(datasetRecords, record, datasetId);
  await pend(transaction, datasetRecords, record, datasetId);
  await makeSlot(ledger, record);
  transaction.emit(datasetId, 'REGISTERED');
  return { ...record, status: 'REGISTERED' };
}

/**
 * Makes the slot of the next version, once the last one is attested. This is what a block seals of a later version: its
 * attestation is endorsed by the owner's peer alone, which cannot write a pending entry beside it.
 */
export async function openVersion(
  transaction: Transaction,
  { datasetId }: { datasetId: string },
): Promise<DatasetView> {
  const { ledger } = transaction;
  const record = await ownDataset(transaction, datasetId);
  if (!(await attestedVersion(ledger, datasetId, record.versions)))
    throw new ContractError(
      'ILLEGAL_STATE',
      `Version ${record.versions} of ${datasetId} waits for its attestation still.`,
    );
  const opened = { ...record, versions: record.versions + 1 };
  await ledger.put(datasetRecords, opened, datasetId);
  await pend(transaction, datasetRecords, opened, datasetId, numberKey(opened.versions));
  await makeSlot(ledger, opened);
  transaction.emit(datasetId);
  return viewDataset(ledger, opened);
}

async function makeSlot(ledger: Ledger, { datasetId, owner, versions }: DatasetRecord): Promise<void> {
  const key = [datasetId, numberKey(versions)];
  await ledger.create(datasetVersions, { owner }, ...key);
  await ledger.endorseByOwner(datasetVersions, owner, ...key);
}

/** Fills the slot, and writes no other key, so that the owner's peer is enough; its audit trail is the slots' order. */
export async function attest(transaction: Transaction, request: AttestVersion): Promise<VersionAttestation> {
  const { ledger, at } = transaction;
  const { datasetId, version, recordsChannel, block } = request;
  const record = await ownDataset(transaction, datasetId);
  if (version !== record.versions)
    throw new ContractError(
      'ILLEGAL_STATE',
      `The open slot of ${datasetId} is that of version ${record.versions}, not of ${version}.`,
    );
  if (await attestedVersion(ledger, datasetId, version))
    throw new ContractError('ALREADY_EXISTS', `Version ${version} of ${datasetId} is attested already.`);
  const place = { chaincode: 'records', channel: recordsChannel };
  const { GetVersion } = privateRecords.RecordsContract;
  const {
    owner,
    recordedAt: _,
    ...content
  } = versionRecord.parse(await readAcross(transaction, place, GetVersion.name, { datasetId, version }));
  if (owner !== record.owner || content.datasetId !== datasetId || content.version !== version)
    throw new ContractError('HASH_MISMATCH', `${recordsChannel} answers with another version than asked.`);
  const epoch = await ledger.get(epochRecords, content.epochId);
  requireUsable(epoch, transaction.now);
  const attested: VersionAttestation = { ...content, recordsChannel, block, attestedAt: at };
  await ledger.put(datasetVersions, attested, datasetId, numberKey(version));
  transaction.emit(datasetId, content.change);
  return attested;
}

export async function withdraw(
  transaction: Transaction,
  { datasetId, reason }: WithdrawDataset,
): Promise<DatasetView> {
  const { ledger, at } = transaction;
  const record = await ownDataset(transaction, datasetId);
  const withdrawn: DatasetRecord = { ...record, withdrawal: { reason, at } };
  await ledger.put(datasetRecords, withdrawn, datasetId);
  transaction.record({ state: 'WITHDRAWN', datasets: [datasetId], reason });
  transaction.emit(datasetId, 'WITHDRAWN');
  return viewDataset(ledger, withdrawn);
}

async function ownDataset({ ledger, caller }: Transaction, datasetId: string): Promise<DatasetRecord> {
  const record = await ledger.get(datasetRecords, datasetId);
  if (record.owner !== caller.mspId)
    throw new ContractError('NOT_A_PARTY', `The dataset ${datasetId} belongs to ${record.owner}.`);
  requireState('dataset', record.withdrawal ? 'WITHDRAWN' : 'ACTIVE', ['ACTIVE']);
  return record;
}

export async function readVersion(
  { ledger }: Transaction,
  { datasetId, version }: { datasetId: string; version: number },
): Promise<VersionAttestation> {
  const found = await attestedVersion(ledger, datasetId, version);
  if (!found)
    throw new ContractError('NOT_FOUND', `There is no attested version ${version} of "${datasetId}".`);
  return found;
}

/** All attested versions, in their order. */
export async function listVersions(
  { ledger }: Transaction,
  { datasetId, ...page }: z.infer<typeof listVersionsRequest>,
): Promise<{ items: VersionAttestation[]; next?: string }> {
  const { items, ...rest } = await ledger.page(datasetVersions, [datasetId], page);
  return { items: items.filter((slot): slot is VersionAttestation => 'attestedAt' in slot), ...rest };
}
