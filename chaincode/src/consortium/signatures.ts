/** What owners do with agreements: sign and refuse versions, suspend, resume and terminate the whole. */
import {
  type Agreement,
  type AgreementHead,
  type AgreementSlot,
  type AgreementState,
  type RefuseAgreement,
  type SignAgreement,
  type TerminateAgreement,
} from '../api/permissions.js';
import { changeOf } from '../audit/drafts.js';
import { verifyDetached } from '../api/signing.js';
import { ContractError } from '../errors.js';
import {
  agreementHeads,
  agreementRefusals,
  agreementSlots,
  agreementSuspensions,
  agreementTerminations,
  agreementVersions,
  type RecordKind,
} from '../ledger/kinds.js';
import { type Transaction } from '../ledger/transaction.js';
import { requireState } from '../states/machine.js';
import { readAgreement, readSignatures, versionKey } from './agreementState.js';
import { notOwner } from './proposals.js';

export async function sign(
  transaction: Transaction,
  { agreementId, version, signature }: SignAgreement,
): Promise<AgreementSlot> {
  const { ledger, caller, at } = transaction;
  const { content, digest } = await undecided(transaction, agreementId, version);
  const { signingKey } = await transaction.institution();
  if (!verifyDetached(content, signature, signingKey))
    throw new ContractError(
      'BAD_SIGNATURE',
      `The signature is not ${caller.mspId}'s over the agreement's digest.`,
    );
  const slot = { signature, digest, at };
  await ledger.put(agreementSlots, slot, agreementId, versionKey(content.version), caller.mspId);
  transaction.emit(agreementId);
  return { agreementId, version: content.version, mspId: caller.mspId, digest, signed: true };
}

export async function refuse(
  transaction: Transaction,
  { agreementId, version, reason }: RefuseAgreement,
): Promise<AgreementSlot> {
  const { ledger, caller, at } = transaction;
  const agreement = await undecided(transaction, agreementId, version);
  const { content, digest } = agreement;
  await ledger.create(
    agreementRefusals,
    { reason, at },
    agreementId,
    versionKey(content.version),
    caller.mspId,
  );
  transaction.record(changeOf(agreement, 'REFUSED', reason));
  transaction.emit(agreementId, 'REFUSED');
  return { agreementId, version: content.version, mspId: caller.mspId, digest, signed: false };
}

/** Fills the caller's own slot: no owner's suspension waits for another's, and none lifts another's. */
export async function setSuspension(
  transaction: Transaction,
  agreementId: string,
  suspended: boolean,
  reason: string,
): Promise<AgreementSlot> {
  const { ledger, caller, at } = transaction;
  const agreement = await inForce(transaction, agreementId);
  const before = await ledger.find(agreementSuspensions, agreementId, caller.mspId);
  if ((before?.suspended ?? false) === suspended)
    throw new ContractError(
      'ILLEGAL_STATE',
      `${caller.mspId} ${suspended ? 'has already' : 'has not'} suspended ${agreementId}.`,
    );
  await ledger.put(agreementSuspensions, { suspended, reason, at }, agreementId, caller.mspId);
  transaction.record(changeOf(agreement, suspended ? 'SUSPENDED' : 'RESUMED', reason));
  transaction.emit(agreementId, suspended ? 'SUSPENDED' : undefined);
  return slotOf(agreement, caller.mspId);
}

export async function terminate(
  transaction: Transaction,
  { agreementId, reason }: TerminateAgreement,
): Promise<AgreementSlot> {
  const { ledger, caller, at } = transaction;
  const agreement = await inForce(transaction, agreementId);
  await ledger.create(agreementTerminations, { reason, at }, agreementId, caller.mspId);
  transaction.record(changeOf(agreement, 'TERMINATED', reason));
  transaction.emit(agreementId, 'TERMINATED');
  return slotOf(agreement, caller.mspId);
}

const slotOf = ({ agreementId, digest, content }: Agreement, mspId: string): AgreementSlot => ({
  agreementId,
  version: content.version,
  mspId,
  digest,
  signed: true,
});

/** The version in force of an agreement of the caller that has not ended. */
async function inForce({ ledger, caller, now }: Transaction, agreementId: string): Promise<Agreement> {
  const { version, state } = await readAgreement(ledger, agreementId, now);
  requireOwner(version.agreement, caller.mspId);
  requireState('agreement', state, ['ACTIVE', 'SUSPENDED']);
  return version.agreement;
}

/**
 * The latest version, which the caller is an owner in and has not signed, and which nobody refused. The other owners'
 * slots are not read, so that all may sign at once. An amendment is signed only while the version before it may be in
 * force: an agreement that has ended does not come back.
 */
async function undecided(
  transaction: Transaction,
  agreementId: string,
  number: number | undefined,
): Promise<Agreement> {
  const { ledger, caller } = transaction;
  const head = await ledger.get(agreementHeads, agreementId);
  const agreement = await ledger.get(agreementVersions, agreementId, versionKey(head.latest));
  requireOwner(agreement, caller.mspId);
  if (number !== undefined && number !== head.latest)
    throw new ContractError('ILLEGAL_STATE', `The version ${number} of ${agreementId} is not the latest.`);
  if ((await readSignatures(ledger, agreement, [caller.mspId])).size > 0)
    throw new ContractError('ALREADY_EXISTS', `${caller.mspId} has already signed ${agreementId}.`);
  requireState('agreement', await stateUnsigned(transaction, head, agreement), ['PROPOSED']);
  return agreement;
}

/** The state of the latest version that one of its owners has not signed. */
async function stateUnsigned(
  { ledger, now }: Transaction,
  { agreementId, latest, base }: AgreementHead,
  { content }: Agreement,
): Promise<AgreementState> {
  const has = async (kind: RecordKind<unknown>, ids: string[], owners: readonly string[]): Promise<boolean> =>
    (await ledger.findAll(kind, ids, owners)).size > 0;
  const ended = (permission: { until: string }): boolean => now >= Date.parse(permission.until);
  if (await has(agreementRefusals, [agreementId, versionKey(latest)], content.owners)) return 'REFUSED';
  if (base !== undefined) {
    const { content: before } = await ledger.get(agreementVersions, agreementId, versionKey(base));
    if (await has(agreementTerminations, [agreementId], before.owners)) return 'TERMINATED';
    if (ended(before.permission)) return 'EXPIRED';
  }
  return ended(content.permission) ? 'EXPIRED' : 'PROPOSED';
}

function requireOwner({ content }: Agreement, mspId: string): void {
  if (!content.owners.includes(mspId)) throw notOwner(mspId);
}
