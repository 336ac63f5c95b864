/** Electronic agreements: text by hash, terms, and one signature slot for every data owner. */
import { type Context, Contract, Info } from 'fabric-contract-api';
import { byText, digestOf } from '../api/canonical.js';
import {
  type Agreement,
  type AgreementContent,
  type AgreementSlot,
  type AgreementView,
  type ProposeAgreement,
  type RefuseAgreement,
  type SignAgreement,
} from '../api/permissions.js';
import { verifyDetached } from '../api/signing.js';
import { consortium } from '../api/transactions.js';
import { ContractError } from '../errors.js';
import { pend, requireConfirmed } from '../endorsement/sharing.js';
import {
  agreementBudgets,
  agreementRefusals,
  agreements,
  agreementSlots,
  agreementSuspensions,
  agreementTerminations,
  datasetRecords,
  permissionAgreements,
  permissionRecords,
} from '../ledger/kinds.js';
import { Serves } from '../ledger/serves.js';
import { run, type Transaction } from '../ledger/transaction.js';
import { requireState } from '../states/machine.js';
import { agreementOn, agreementState, readSignatures, readSlots, type Slots } from './agreementState.js';

const definitions = consortium.AgreementContract;

@Info({ title: 'AgreementContract', description: 'Agreements between data owners and a researcher.' })
export class AgreementContract extends Contract {
  constructor() {
    super('AgreementContract');
  }

  @Serves(definitions.Propose)
  Propose(context: Context, request: string): Promise<string> {
    return run(context, definitions.Propose, request, propose);
  }

  @Serves(definitions.Sign)
  Sign(context: Context, request: string): Promise<string> {
    return run(context, definitions.Sign, request, sign);
  }

  @Serves(definitions.Refuse)
  Refuse(context: Context, request: string): Promise<string> {
    return run(context, definitions.Refuse, request, refuse);
  }

  @Serves(definitions.Suspend)
  Suspend(context: Context, request: string): Promise<string> {
    return run(context, definitions.Suspend, request, (transaction, { agreementId, reason }) =>
      setSuspension(transaction, agreementId, true, reason),
    );
  }

  @Serves(definitions.Resume)
  Resume(context: Context, request: string): Promise<string> {
    return run(context, definitions.Resume, request, (transaction, { agreementId }) =>
      setSuspension(transaction, agreementId, false, ''),
    );
  }

  @Serves(definitions.Terminate)
  Terminate(context: Context, request: string): Promise<string> {
    return run(context, definitions.Terminate, request, terminate);
  }

  @Serves(definitions.Get)
  Get(context: Context, request: string): Promise<string> {
    return run(context, definitions.Get, request, async (transaction, { agreementId }) =>
      view(transaction, await transaction.ledger.get(agreements, agreementId)),
    );
  }

  @Serves(definitions.List)
  List(context: Context, request: string): Promise<string> {
    return run(context, definitions.List, request, ({ ledger }, page) => ledger.page(agreements, [], page));
  }
}

async function propose(transaction: Transaction, request: ProposeAgreement): Promise<Agreement> {
  const { ledger, caller, now } = transaction;
  const { agreementId, permissionId, textHash, terms } = request;
  const permission = await ledger.get(permissionRecords, permissionId);
  const existing = await agreementOn(ledger, permissionId, now);
  if (existing && existing.state !== 'REFUSED')
    throw new ContractError(
      'ALREADY_EXISTS',
      `The permission ${permissionId} has the agreement ${existing.agreementId}.`,
    );
  const owners = new Set<string>();
  for (const datasetId of permission.datasets) {
    await requireConfirmed(ledger, datasetRecords, datasetId);
    owners.add((await ledger.get(datasetRecords, datasetId)).owner);
  }
  if (!owners.has(caller.mspId)) throw notOwner(caller.mspId);
  const content: AgreementContent = {
    type: 'strokeshare/agreement',
    version: 1,
    agreementId,
    textHash,
    terms,
    owners: [...owners].sort(byText),
    permission,
  };
  const agreement: Agreement = {
    agreementId,
    content,
    digest: digestOf(content),
    proposedBy: caller.mspId,
    proposedAt: transaction.at,
  };
  await ledger.create(agreements, agreement, agreementId);
  await pend(transaction, agreements, agreement, agreementId);
  await ledger.put(permissionAgreements, { agreementId }, permissionId);
  for (const owner of content.owners) {
    await ledger.create(agreementSlots, { owner }, agreementId, owner);
    await ledger.endorseByOwner(agreementSlots, owner, agreementId, owner);
  }
  transaction.emit(agreementId, 'PROPOSED');
  return agreement;
}

async function sign(
  transaction: Transaction,
  { agreementId, signature }: SignAgreement,
): Promise<AgreementSlot> {
  const { ledger, caller, at } = transaction;
  const agreement = await undecided(transaction, agreementId);
  const { signingKey } = await transaction.institution();
  if (!verifyDetached(agreement.content, signature, signingKey))
    throw new ContractError(
      'BAD_SIGNATURE',
      `The signature is not ${caller.mspId}'s over the agreement's digest.`,
    );
  await ledger.put(agreementSlots, { signature, digest: agreement.digest, at }, agreementId, caller.mspId);
  transaction.emit(agreementId);
  return { agreementId, mspId: caller.mspId, digest: agreement.digest, signed: true };
}

async function refuse(
  transaction: Transaction,
  { agreementId, reason }: RefuseAgreement,
): Promise<AgreementSlot> {
  const { ledger, caller, at } = transaction;
  const agreement = await undecided(transaction, agreementId);
  await ledger.create(agreementRefusals, { reason, at }, agreementId, caller.mspId);
  transaction.emit(agreementId, 'REFUSED');
  return { agreementId, mspId: caller.mspId, digest: agreement.digest, signed: false };
}

/** Fills the caller's own slot: no owner's suspension waits for another's, and none lifts another's. */
async function setSuspension(
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
  transaction.emit(agreementId, suspended ? 'SUSPENDED' : undefined);
  return { agreementId, mspId: caller.mspId, digest: agreement.digest, signed: true };
}

async function terminate(
  transaction: Transaction,
  { agreementId, reason }: RefuseAgreement,
): Promise<AgreementSlot> {
  const { ledger, caller, at } = transaction;
  const agreement = await inForce(transaction, agreementId);
  await ledger.create(agreementTerminations, { reason, at }, agreementId, caller.mspId);
  transaction.emit(agreementId, 'TERMINATED');
  return { agreementId, mspId: caller.mspId, digest: agreement.digest, signed: true };
}

/** An agreement of the caller that all owners have signed and that has not ended. */
async function inForce({ ledger, caller, now }: Transaction, agreementId: string): Promise<Agreement> {
  const agreement = await ledger.get(agreements, agreementId);
  if (!agreement.content.owners.includes(caller.mspId)) throw notOwner(caller.mspId);
  const state = agreementState(agreement, await readSlots(ledger, agreement), now);
  requireState('agreement', state, ['ACTIVE', 'SUSPENDED']);
  return agreement;
}

/**
 * An agreement that the caller is an owner in and has not signed, and that nobody refused. The other owners'
 * signatures are not read, so that all may sign at once.
 */
async function undecided({ ledger, caller, now }: Transaction, agreementId: string): Promise<Agreement> {
  const agreement = await ledger.get(agreements, agreementId);
  const { owners } = agreement.content;
  if (!owners.includes(caller.mspId)) throw notOwner(caller.mspId);
  if ((await readSignatures(ledger, agreementId, [caller.mspId])).size > 0)
    throw new ContractError('ALREADY_EXISTS', `${caller.mspId} has already signed ${agreementId}.`);
  const refused = await ledger.findEach(agreementRefusals, [agreementId], owners);
  const state = agreementState(agreement, { ...NOTHING, refused: [...refused.keys()] }, now);
  requireState('agreement', state, ['PROPOSED']);
  return agreement;
}

const NOTHING: Slots = { signed: [], refused: [], suspended: [], terminated: [] };

const notOwner = (mspId: string): ContractError =>
  new ContractError('NOT_A_PARTY', `${mspId} owns none of the agreement's datasets.`);

async function view({ ledger, now }: Transaction, agreement: Agreement): Promise<AgreementView> {
  const { agreementId, content } = agreement;
  const signatures = await readSignatures(ledger, agreementId, content.owners);
  const refusals = await ledger.findEach(agreementRefusals, [agreementId], content.owners);
  const budget = await ledger.find(agreementBudgets, agreementId);
  return {
    ...agreement,
    state: agreementState(agreement, await readSlots(ledger, agreement), now),
    signatures: Object.fromEntries(signatures),
    refusals: Object.fromEntries(refusals),
    suspensions: Object.fromEntries(
      await ledger.findEach(agreementSuspensions, [agreementId], content.owners),
    ),
    terminations: Object.fromEntries(
      await ledger.findEach(agreementTerminations, [agreementId], content.owners),
    ),
    reserved: budget?.reserved ?? 0,
  };
}
