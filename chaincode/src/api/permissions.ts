/** Permissions that researchers ask for, and the agreements that grant them. */
import { z } from 'zod';
import {
  count,
  distinct,
  duoCode,
  identifier,
  instant,
  mspId,
  positive,
  researcherId,
  sha256,
  signature,
  text,
} from './primitives.js';

export const permissionStates = [
  'REQUESTED',
  'GRANTED',
  'SUSPENDED',
  'REVOKED',
  'DENIED',
  'EXPIRED',
] as const;
export type PermissionState = (typeof permissionStates)[number];
export const agreementStates = [
  'PROPOSED',
  'ACTIVE',
  'SUSPENDED',
  'TERMINATED',
  'EXPIRED',
  'REFUSED',
] as const;
export type AgreementState = (typeof agreementStates)[number];
export const statisticKinds = ['count', 'mean', 'variance', 'crosstab', 'correlation', 'survival'] as const;

export const requestPermission = z.strictObject({
  permissionId: identifier,
  datasets: distinct(identifier, 1, 50),
  variables: distinct(z.string().min(1).max(63), 1, 200),
  statistics: distinct(z.enum(statisticKinds), 1, statisticKinds.length),
  purpose: duoCode,
  /** The first instant of the period. */
  from: instant,
  /** The first instant after the period. */
  until: instant,
  /** At least the datasets' own minima. */
  minimumCohort: positive,
  /** How many cells (counts and values) may be released in all. */
  releaseBudget: positive.max(1_000_000),
});
export type RequestPermission = z.infer<typeof requestPermission>;

export const permission = requestPermission.extend({ researcherId, requestedAt: instant });
export type Permission = z.infer<typeof permission>;
/** `state` is computed from the agreement and the period. */
export const permissionView = permission.extend({
  state: z.enum(permissionStates),
  agreementId: identifier.optional(),
});
export type PermissionView = z.infer<typeof permissionView>;
export const getPermission = z.strictObject({ permissionId: identifier });

export const proposeAgreement = z.strictObject({
  agreementId: identifier,
  permissionId: identifier,
  /** SHA-256 of the agreement's text. */
  textHash: sha256,
  /** A summary for people; the text itself is what binds. */
  terms: z.string().max(8000),
});
export type ProposeAgreement = z.infer<typeof proposeAgreement>;

/** What every owner signs: nothing in it ever changes. */
export const agreementContent = z.strictObject({
  type: z.literal('strokeshare/agreement'),
  version: z.literal(1),
  agreementId: identifier,
  textHash: sha256,
  terms: z.string(),
  /** Owners of the datasets, sorted: all of them must sign. */
  owners: z.array(mspId),
  permission,
});
export type AgreementContent = z.infer<typeof agreementContent>;

export const agreement = z.strictObject({
  agreementId: identifier,
  content: agreementContent,
  /** SHA-256 of the content's canonical JSON. */
  digest: sha256,
  proposedBy: mspId,
  proposedAt: instant,
});
export type Agreement = z.infer<typeof agreement>;

export const signAgreement = z.strictObject({
  agreementId: identifier,
  /** {@link signDetached} over the content, by the enrolled signing key. */
  signature,
});
export type SignAgreement = z.infer<typeof signAgreement>;
export const refuseAgreement = z.strictObject({ agreementId: identifier, reason: text });
export type RefuseAgreement = z.infer<typeof refuseAgreement>;
/** Each owner suspends for itself; the agreement is active again when none does. */
export const suspendAgreement = refuseAgreement;
export const resumeAgreement = z.strictObject({ agreementId: identifier });
export type ResumeAgreement = z.infer<typeof resumeAgreement>;
/** One owner is enough, and there is no way back. */
export const terminateAgreement = refuseAgreement;

export const agreementSignature = z.strictObject({ signature, digest: sha256, at: instant });
export type AgreementSignature = z.infer<typeof agreementSignature>;
/** A slot that its owner has not filled yet. */
export const emptySlot = z.strictObject({ owner: mspId });
export const agreementRefusal = z.strictObject({ reason: z.string(), at: instant });
export const agreementSuspension = agreementRefusal.extend({ suspended: z.boolean() });
export const agreementTermination = agreementRefusal;

/** The answer to signing or refusing; the agreement's state follows from all slots. */
export const agreementSlot = z.strictObject({
  agreementId: identifier,
  mspId,
  digest: sha256,
  signed: z.boolean(),
});
export type AgreementSlot = z.infer<typeof agreementSlot>;

export const agreementView = agreement.extend({
  state: z.enum(agreementStates),
  signatures: z.record(mspId, agreementSignature),
  refusals: z.record(mspId, agreementRefusal),
  suspensions: z.record(mspId, agreementSuspension),
  terminations: z.record(mspId, agreementTermination),
  /** Cells that jobs have reserved so far. */
  reserved: count,
});
export type AgreementView = z.infer<typeof agreementView>;
export const getAgreement = z.strictObject({ agreementId: identifier });
