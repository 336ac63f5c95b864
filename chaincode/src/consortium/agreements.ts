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
import {
  agreementBudgets,
  agreementRefusals,
  agreements,
  agreementSignatures,
  datasetRecords,
  permissionAgreements,
  permissionRecords,
} from '../ledger/kinds.js';
import { Serves } from '../ledger/serves.js';
import { run, type Transaction } from '../ledger/transaction.js';
import { requireState } from '../states/machine.js';
import { agreementOn, agreementState } from './agreementState.js';

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
  for (const datasetId of permission.datasets)
    owners.add((await ledger.get(datasetRecords, datasetId)).owner);
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
  await ledger.put(permissionAgreements, { agreementId }, permissionId);
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
  await ledger.create(
    agreementSignatures,
    { signature, digest: agreement.digest, at },
    agreementId,
    caller.mspId,
  );
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

/**
 * An agreement that the caller is an owner in and has not signed, and that nobody refused. The other owners'
 * signatures are not read, so that all may sign at once.
 */
async function undecided({ ledger, caller, now }: Transaction, agreementId: string): Promise<Agreement> {
  const agreement = await ledger.get(agreements, agreementId);
  const { owners } = agreement.content;
  if (!owners.includes(caller.mspId)) throw notOwner(caller.mspId);
  if (await ledger.has(agreementSignatures, agreementId, caller.mspId))
    throw new ContractError('ALREADY_EXISTS', `${caller.mspId} has already signed ${agreementId}.`);
  const refused = await ledger.findEach(agreementRefusals, [agreementId], owners);
  const state = agreementState(agreement, { signed: [], refused: [...refused.keys()] }, now);
  requireState('agreement', state, ['PROPOSED']);
  return agreement;
}

const notOwner = (mspId: string): ContractError =>
  new ContractError('NOT_A_PARTY', `${mspId} owns none of the agreement's datasets.`);

async function view({ ledger, now }: Transaction, agreement: Agreement): Promise<AgreementView> {
  const { agreementId, content } = agreement;
  const signatures = await ledger.findEach(agreementSignatures, [agreementId], content.owners);
  const refusals = await ledger.findEach(agreementRefusals, [agreementId], content.owners);
  const budget = await ledger.find(agreementBudgets, agreementId);
  return {
    ...agreement,
    state: agreementState(agreement, { signed: [...signatures.keys()], refused: [...refusals.keys()] }, now),
    signatures: Object.fromEntries(signatures),
    refusals: Object.fromEntries(refusals),
    reserved: budget?.reserved ?? 0,
  };
}
