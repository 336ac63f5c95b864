/** Effective states of agreements, their versions and permissions, computed from slots and terms. */
import {
  type Agreement,
  type AgreementHead,
  type AgreementSignature,
  type AgreementState,
  type PermissionState,
  type VersionState,
} from '../api/permissions.js';
import {
  agreementHeads,
  agreementRefusals,
  agreementSlots,
  agreementSuspensions,
  agreementTerminations,
  agreementVersions,
  permissionAgreements,
} from '../ledger/kinds.js';
import { type Ledger } from '../ledger/ledger.js';

/** What the owners of one version did with it. */
export interface Slots {
  readonly signed: readonly string[];
  readonly refused: readonly string[];
}

/** One version with its slots. */
export interface Version {
  readonly agreement: Agreement;
  readonly slots: Slots;
}

/** What decides an agreement's state. */
export interface Standing {
  /** The version in force, or the first where none is. */
  readonly version: Version;
  readonly suspended: readonly string[];
  readonly terminated: readonly string[];
}

export const isSigned = ({ agreement, slots }: Version): boolean =>
  slots.refused.length === 0 && agreement.content.owners.every((owner) => slots.signed.includes(owner));

/** The state of an agreement at an instant. */
export function agreementState({ version, suspended, terminated }: Standing, now: number): AgreementState {
  if (version.slots.refused.length > 0) return 'REFUSED';
  if (terminated.length > 0) return 'TERMINATED';
  if (now >= Date.parse(version.agreement.content.permission.until)) return 'EXPIRED';
  if (!isSigned(version)) return 'PROPOSED';
  return suspended.length > 0 ? 'SUSPENDED' : 'ACTIVE';
}

/** The state of one version of an agreement whose version in force (or first) and latest are given. */
export function versionState(version: Version, standing: Version, latest: number): VersionState {
  const number = version.agreement.content.version;
  if (number === standing.agreement.content.version && isSigned(version)) return 'IN_FORCE';
  if (number < latest) return 'SUPERSEDED';
  return version.slots.refused.length > 0 ? 'REFUSED' : 'PROPOSED';
}

/** The state of a permission: what its latest agreement makes of it. */
export function permissionState(
  permission: { until: string },
  agreement: AgreementState | undefined,
  now: number,
): PermissionState {
  if (agreement === 'TERMINATED') return 'REVOKED';
  // An agreement may end before the period that was asked for.
  if (agreement === 'EXPIRED' || now >= Date.parse(permission.until)) return 'EXPIRED';
  if (agreement === 'ACTIVE') return 'GRANTED';
  if (agreement === 'SUSPENDED') return 'SUSPENDED';
  return agreement === 'REFUSED' ? 'DENIED' : 'REQUESTED';
}

/** Versions in their keys: in the order of their numbers. */
export const versionKey = (version: number): string => String(version).padStart(4, '0');

/** The filled slots of one version, by owner. */
export async function readSignatures(
  ledger: Ledger,
  { agreementId, content: { version } }: Agreement,
  owners: readonly string[],
): Promise<Map<string, AgreementSignature>> {
  const filled = new Map<string, AgreementSignature>();
  for (const [owner, slot] of await ledger.findAll(
    agreementSlots,
    [agreementId, versionKey(version)],
    owners,
  ))
    if ('signature' in slot) filled.set(owner, slot);
  return filled;
}

/** Reads one version with its slots. */
export async function readVersion(ledger: Ledger, agreementId: string, number: number): Promise<Version> {
  const agreement = await ledger.get(agreementVersions, agreementId, versionKey(number));
  const { owners } = agreement.content;
  const signed = await readSignatures(ledger, agreement, owners);
  const refused = await ledger.findAll(agreementRefusals, [agreementId, versionKey(number)], owners);
  return {
    agreement,
    slots: {
      // Nobody but its owner endorses a slot: what is no signature of this very content does not count.
      signed: [...signed].filter(([, { digest }]) => digest === agreement.digest).map(([owner]) => owner),
      refused: [...refused.keys()],
    },
  };
}

/** What an agreement is now: which version holds, and what its owners did besides signing. */
export interface Effective extends Standing {
  readonly head: AgreementHead;
  /** The latest version; the same as `version` where that is in force. */
  readonly latest: Version;
  readonly state: AgreementState;
}

/**
 * Reads an agreement. At most two versions are read: before another is proposed, the one in force is the base, and a
 * version that is not the latest takes no signatures.
 * @throws ContractError NOT_FOUND
 */
export async function readAgreement(ledger: Ledger, agreementId: string, now: number): Promise<Effective> {
  const head = await ledger.get(agreementHeads, agreementId);
  const latest = await readVersion(ledger, agreementId, head.latest);
  const version =
    head.base === undefined || isSigned(latest) ? latest : await readVersion(ledger, agreementId, head.base);
  const { owners } = version.agreement.content;
  const suspensions = await ledger.findAll(agreementSuspensions, [agreementId], owners);
  const terminated = await ledger.findAll(agreementTerminations, [agreementId], owners);
  const standing = {
    version,
    suspended: [...suspensions].filter(([, { suspended }]) => suspended).map(([owner]) => owner),
    terminated: [...terminated.keys()],
  };
  return { ...standing, head, latest, state: agreementState(standing, now) };
}

/** The latest agreement on a permission. */
export async function agreementOn(
  ledger: Ledger,
  permissionId: string,
  now: number,
): Promise<Effective | undefined> {
  const link = await ledger.find(permissionAgreements, permissionId);
  return link && readAgreement(ledger, link.agreementId, now);
}
