/** Agreements and their amendments, as an owner proposes them: text by hash, terms, and an empty slot for every owner. */
import { byText, digestOf } from '../api/canonical.js';
import {
  type Agreement,
  type AgreementContent,
  type AgreementHead,
  type AmendAgreement,
  type Permission,
  type ProposeAgreement,
} from '../api/permissions.js';
import { changeOf } from '../audit/drafts.js';
import { pend, requireConfirmed } from '../endorsement/sharing.js';
import { ContractError } from '../errors.js';
import {
  agreementHeads,
  agreementSlots,
  agreementVersions,
  datasetRecords,
  institutions,
  permissionAgreements,
  permissionRecords,
} from '../ledger/kinds.js';
import { type Transaction } from '../ledger/transaction.js';
import { excessOf, withPart } from '../permission/grant.js';
import { requireState } from '../states/machine.js';
import { agreementOn, isSigned, readAgreement, versionKey } from './agreementState.js';

export async function propose(transaction: Transaction, request: ProposeAgreement): Promise<Agreement> {
  const { ledger, now } = transaction;
  const { agreementId, permissionId } = request;
  const asked = await ledger.get(permissionRecords, permissionId);
  const existing = await agreementOn(ledger, permissionId, now);
  if (existing && existing.state !== 'REFUSED')
    throw new ContractError(
      'ALREADY_EXISTS',
      `The permission ${permissionId} has the agreement ${existing.head.agreementId}.`,
    );
  if (await ledger.has(agreementHeads, agreementId))
    throw new ContractError('ALREADY_EXISTS', `There is already an agreement "${agreementId}".`);
  const proposed = await enter(transaction, request, asked, { agreementId, permissionId, latest: 1 });
  await ledger.put(permissionAgreements, { agreementId }, permissionId);
  return proposed;
}

/**
 * Proposes another version of an agreement that is in force. It grants what was asked or less, as the first did, and
 * takes the place of an amendment that still waits: nobody can hold up the others by not signing.
 */
export async function amend(transaction: Transaction, request: AmendAgreement): Promise<Agreement> {
  const { ledger, now, caller } = transaction;
  const { head, version, latest, state } = await readAgreement(ledger, request.agreementId, now);
  requireState('agreement', state, ['ACTIVE', 'SUSPENDED']);
  const { content, digest } = version.agreement;
  if (!content.owners.includes(caller.mspId)) throw notOwner(caller.mspId);
  const asked = await ledger.get(permissionRecords, head.permissionId);
  const base = isSigned(latest) ? head.latest : head.base;
  return enter(
    transaction,
    request,
    asked,
    { ...head, latest: head.latest + 1, ...(base !== undefined && { base }) },
    digest,
  );
}

async function enter(
  transaction: Transaction,
  { agreementId, textHash, terms, grant }: AmendAgreement,
  asked: Permission,
  head: AgreementHead,
  amends?: string,
): Promise<Agreement> {
  const { ledger, caller } = transaction;
  const permission = withPart(asked, grant);
  const excess = excessOf(asked, permission);
  if (excess !== undefined)
    throw new ContractError('BAD_REQUEST', `The agreement would grant more ${excess} than was asked.`);
  if (Date.parse(permission.from) >= Date.parse(permission.until))
    throw new ContractError('BAD_REQUEST', 'The period must end after it begins.');
  const content: AgreementContent = {
    type: 'strokeshare/agreement',
    agreementId,
    version: head.latest,
    ...(amends !== undefined && { amends }),
    textHash,
    terms,
    owners: await ownersOfGrant(transaction, permission.datasets),
    permission,
  };
  if (!content.owners.includes(caller.mspId)) throw notOwner(caller.mspId);
  const agreement: Agreement = {
    agreementId,
    content,
    digest: digestOf(content),
    proposedBy: caller.mspId,
    proposedAt: transaction.at,
  };
  const version = versionKey(head.latest);
  await ledger.put(agreementHeads, head, agreementId);
  await ledger.create(agreementVersions, agreement, agreementId, version);
  await pend(transaction, agreementVersions, agreement, agreementId, version);
  for (const owner of content.owners) {
    await ledger.create(agreementSlots, { owner }, agreementId, version, owner);
    await ledger.endorseByOwner(agreementSlots, owner, agreementId, version, owner);
  }
  transaction.record(changeOf(agreement, 'PROPOSED'));
  transaction.emit(agreementId, 'PROPOSED');
  return agreement;
}

/** Owners of the datasets, sorted; each is a member, since each has to sign. */
async function ownersOfGrant({ ledger }: Transaction, datasets: readonly string[]): Promise<string[]> {
  const owners = new Set<string>();
  for (const datasetId of datasets) {
    await requireConfirmed(ledger, datasetRecords, datasetId);
    owners.add((await ledger.get(datasetRecords, datasetId)).owner);
  }
  const entries = await ledger.findEach(institutions, [], [...owners]);
  const gone = [...owners].find((owner) => entries.get(owner)?.status !== 'ACTIVE');
  if (gone !== undefined)
    throw new ContractError('ILLEGAL_STATE', `${gone} is no member, and its datasets cannot be granted.`);
  return [...owners].sort(byText);
}

export const notOwner = (mspId: string): ContractError =>
  new ContractError('NOT_A_PARTY', `${mspId} owns none of the agreement's datasets.`);
