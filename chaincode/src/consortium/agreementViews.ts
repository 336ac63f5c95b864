/** What is read of agreements; for evaluated transactions only. */
import { type Agreement, type AgreementVersionView, type AgreementView } from '../api/permissions.js';
import {
  agreementBudgets,
  agreementHeads,
  agreementRefusals,
  agreementSuspensions,
  agreementTerminations,
  agreementVersions,
} from '../ledger/kinds.js';
import { type Ledger } from '../ledger/ledger.js';
import { type Transaction } from '../ledger/transaction.js';
import {
  type Effective,
  readAgreement,
  readSignatures,
  readVersion,
  type Version,
  versionKey,
  versionState,
} from './agreementState.js';

export async function view(
  { ledger, now }: Transaction,
  { agreementId }: { agreementId: string },
): Promise<AgreementView> {
  const effective = await readAgreement(ledger, agreementId, now);
  const { version, latest, state } = effective;
  const { owners } = version.agreement.content;
  const budget = await ledger.find(agreementBudgets, agreementId);
  return {
    ...(await versionView(ledger, version, effective)),
    state,
    suspensions: Object.fromEntries(await ledger.findAll(agreementSuspensions, [agreementId], owners)),
    terminations: Object.fromEntries(await ledger.findAll(agreementTerminations, [agreementId], owners)),
    reserved: budget?.reserved ?? 0,
    spentMicroRho: budget?.microRho ?? 0,
    ...(latest !== version && { amendment: await versionView(ledger, latest, effective) }),
  };
}

export async function viewOfVersion(
  { ledger, now }: Transaction,
  { agreementId, version }: { agreementId: string; version: number },
): Promise<AgreementVersionView> {
  const effective = await readAgreement(ledger, agreementId, now);
  return versionView(ledger, await readVersion(ledger, agreementId, version), effective);
}

export async function list(
  { ledger }: Transaction,
  request: { after?: string | undefined; limit?: number | undefined },
): Promise<{ items: Agreement[]; next?: string }> {
  const heads = await ledger.page(agreementHeads, [], request);
  const items: Agreement[] = [];
  for (const { agreementId, latest } of heads.items)
    items.push(await ledger.get(agreementVersions, agreementId, versionKey(latest)));
  return { ...heads, items };
}

async function versionView(
  ledger: Ledger,
  version: Version,
  { version: standing, head }: Effective,
): Promise<AgreementVersionView> {
  const { agreement } = version;
  const { agreementId, content } = agreement;
  const key = versionKey(content.version);
  return {
    ...agreement,
    versionState: versionState(version, standing, head.latest),
    signatures: Object.fromEntries(await readSignatures(ledger, agreement, content.owners)),
    refusals: Object.fromEntries(await ledger.findAll(agreementRefusals, [agreementId, key], content.owners)),
  };
}
