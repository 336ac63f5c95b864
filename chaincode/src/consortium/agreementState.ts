/** Effective states of agreements and permissions, computed from slots and terms. */
import {
  type Agreement,
  type AgreementSignature,
  type AgreementState,
  type PermissionState,
} from '../api/permissions.js';
import {
  agreementRefusals,
  agreements,
  agreementSlots,
  agreementSuspensions,
  agreementTerminations,
  permissionAgreements,
} from '../ledger/kinds.js';
import { type Ledger } from '../ledger/ledger.js';

/** What the owners did. */
export interface Slots {
  readonly signed: readonly string[];
  readonly refused: readonly string[];
  readonly suspended: readonly string[];
  readonly terminated: readonly string[];
}

/** The state of an agreement at an instant. */
export function agreementState(
  { content: { owners, permission } }: Agreement,
  { signed, refused, suspended, terminated }: Slots,
  now: number,
): AgreementState {
  if (refused.length > 0) return 'REFUSED';
  if (terminated.length > 0) return 'TERMINATED';
  if (now >= Date.parse(permission.until)) return 'EXPIRED';
  if (!owners.every((owner) => signed.includes(owner))) return 'PROPOSED';
  return suspended.length > 0 ? 'SUSPENDED' : 'ACTIVE';
}

/** The state of a permission: what its latest agreement makes of it. */
export function permissionState(
  permission: { until: string },
  agreement: AgreementState | undefined,
  now: number,
): PermissionState {
  if (agreement === 'TERMINATED') return 'REVOKED';
  if (now >= Date.parse(permission.until)) return 'EXPIRED';
  if (agreement === 'ACTIVE') return 'GRANTED';
  if (agreement === 'SUSPENDED') return 'SUSPENDED';
  return agreement === 'REFUSED' ? 'DENIED' : 'REQUESTED';
}

/** The filled slots, by owner. */
export async function readSignatures(
  ledger: Ledger,
  agreementId: string,
  owners: readonly string[],
): Promise<Map<string, AgreementSignature>> {
  const filled = new Map<string, AgreementSignature>();
  for (const [owner, slot] of await ledger.findEach(agreementSlots, [agreementId], owners))
    if ('signature' in slot) filled.set(owner, slot);
  return filled;
}

export async function readSlots(
  ledger: Ledger,
  { agreementId, digest, content: { owners } }: Agreement,
): Promise<Slots> {
  const signed = await readSignatures(ledger, agreementId, owners);
  const refused = await ledger.findEach(agreementRefusals, [agreementId], owners);
  const suspensions = await ledger.findEach(agreementSuspensions, [agreementId], owners);
  const terminated = await ledger.findEach(agreementTerminations, [agreementId], owners);
  return {
    // Nobody but its owner endorses a slot: what is no signature of this very content does not count.
    signed: [...signed].filter(([, slot]) => slot.digest === digest).map(([owner]) => owner),
    refused: [...refused.keys()],
    suspended: [...suspensions].filter(([, { suspended }]) => suspended).map(([owner]) => owner),
    terminated: [...terminated.keys()],
  };
}

/** The latest agreement on a permission, with its state. */
export async function agreementOn(
  ledger: Ledger,
  permissionId: string,
  now: number,
): Promise<{ agreementId: string; state: AgreementState } | undefined> {
  const link = await ledger.find(permissionAgreements, permissionId);
  if (!link) return undefined;
  const agreement = await ledger.get(agreements, link.agreementId);
  return {
    agreementId: link.agreementId,
    state: agreementState(agreement, await readSlots(ledger, agreement), now),
  };
}
