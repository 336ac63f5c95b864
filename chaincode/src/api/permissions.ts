/** Permissions that researchers ask for, and the agreements that grant them. */
import { z } from 'zod';
import { dataUse } from './dataUse.js';
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
export const statisticKinds = [
  'count',
  'mean',
  'variance',
  'crosstab',
  'correlation',
  'survival',
  'logistic',
] as const;

/** Rho of zero-concentrated differential privacy in millionths: integers alone are counted on the ledger. */
export const microRho = positive.max(1_000_000_000);
/** Where differential privacy is agreed. Counts that pass are exact: the guarantee is about the values beside them. */
export const privacyTerms = z
  .strictObject({
    /** What all jobs together may spend. */
    budget: microRho,
    /** What the noise of one released value costs; less is noisier. */
    perValue: microRho,
  })
  .refine(({ budget, perValue }) => perValue <= budget, 'spends more on one value than in all');
export type PrivacyTerms = z.infer<typeof privacyTerms>;

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
  /** What the use is besides its purpose: what conditions of datasets may ask for. */
  use: dataUse.optional(),
  privacy: privacyTerms.optional(),
});
export type RequestPermission = z.infer<typeof requestPermission>;

export const permission = requestPermission.extend({ researcherId, requestedAt: instant });
export type Permission = z.infer<typeof permission>;
/** `state` is computed from the agreement and the period. */
export const permissionView = permission.extend({
  state: z.enum(permissionStates),
  agreementId: identifier.optional(),
  /** What the agreement in force grants of it. */
  granted: permission.optional(),
});
export type PermissionView = z.infer<typeof permissionView>;
export const getPermission = z.strictObject({ permissionId: identifier });

/** Where an agreement grants less than was asked: what is named replaces what was asked, and is never more. */
export const grantedPart = z.strictObject({
  datasets: requestPermission.shape.datasets.optional(),
  variables: requestPermission.shape.variables.optional(),
  statistics: requestPermission.shape.statistics.optional(),
  from: instant.optional(),
  until: instant.optional(),
  minimumCohort: positive.optional(),
  releaseBudget: requestPermission.shape.releaseBudget.optional(),
  privacy: privacyTerms.optional(),
});
export type GrantedPart = z.infer<typeof grantedPart>;

const proposal = {
  agreementId: identifier,
  /** SHA-256 of the agreement's text. */
  textHash: sha256,
  /** A summary for people; the text itself is what binds. */
  terms: z.string().max(8000),
  /** Without it the whole permission is granted. */
  grant: grantedPart.optional(),
};
export const proposeAgreement = z.strictObject({ ...proposal, permissionId: identifier });
export type ProposeAgreement = z.infer<typeof proposeAgreement>;

/** Another version of an agreement in force; until all its owners have signed it, the one before holds. */
export const amendAgreement = z.strictObject(proposal);
export type AmendAgreement = z.infer<typeof amendAgreement>;

/** What every owner signs: nothing in it ever changes. */
export const agreementContent = z.strictObject({
  type: z.literal('strokeshare/agreement'),
  agreementId: identifier,
  /** 1, then one more with every amendment that is proposed. */
  version: positive,
  /** Digest of the version that it amends. */
  amends: sha256.optional(),
  textHash: sha256,
  terms: z.string(),
  /** Owners of the datasets that are granted, sorted: all of them must sign. */
  owners: z.array(mspId),
  /** What is granted. */
  permission,
});
export type AgreementContent = z.infer<typeof agreementContent>;

/** One version of an agreement. */
export const agreement = z.strictObject({
  agreementId: identifier,
  content: agreementContent,
  /** SHA-256 of the content's canonical JSON. */
  digest: sha256,
  proposedBy: mspId,
  proposedAt: instant,
});
export type Agreement = z.infer<typeof agreement>;

/** Which versions there are. The one in force is the latest, once all have signed it, or else the base. */
export const agreementHead = z.strictObject({
  agreementId: identifier,
  permissionId: identifier,
  latest: positive,
  /** The version in force when the latest was proposed; the first has none. */
  base: positive.optional(),
});
export type AgreementHead = z.infer<typeof agreementHead>;

/** Without a version, the latest is meant. */
const versionName = { agreementId: identifier, version: positive.optional() };
export const signAgreement = z.strictObject({
  ...versionName,
  /** {@link signDetached} over the content, by the enrolled signing key. */
  signature,
});
export type SignAgreement = z.infer<typeof signAgreement>;
export const refuseAgreement = z.strictObject({ ...versionName, reason: text });
export type RefuseAgreement = z.infer<typeof refuseAgreement>;
/** Each owner suspends for itself; the agreement is active again when none does. */
export const suspendAgreement = z.strictObject({ agreementId: identifier, reason: text });
export const resumeAgreement = z.strictObject({ agreementId: identifier });
/** One owner is enough, and there is no way back. */
export const terminateAgreement = suspendAgreement;
export type TerminateAgreement = z.infer<typeof terminateAgreement>;

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
  version: positive,
  mspId,
  digest: sha256,
  signed: z.boolean(),
});
export type AgreementSlot = z.infer<typeof agreementSlot>;

export const versionStates = ['PROPOSED', 'IN_FORCE', 'REFUSED', 'SUPERSEDED'] as const;
export type VersionState = (typeof versionStates)[number];
export const agreementVersionView = agreement.extend({
  versionState: z.enum(versionStates),
  signatures: z.record(mspId, agreementSignature),
  refusals: z.record(mspId, agreementRefusal),
});
export type AgreementVersionView = z.infer<typeof agreementVersionView>;

/** The version in force, or the first while none is, with what is proposed in its place. */
export const agreementView = agreementVersionView.extend({
  state: z.enum(agreementStates),
  suspensions: z.record(mspId, agreementSuspension),
  terminations: z.record(mspId, agreementTermination),
  /** Cells that jobs have reserved so far. */
  reserved: count,
  /** Rho that jobs have spent so far, in millionths. */
  spentMicroRho: count,
  /** An amendment that is not in force, proposed or refused. */
  amendment: agreementVersionView.optional(),
});
export type AgreementView = z.infer<typeof agreementView>;
export const getAgreement = z.strictObject({ agreementId: identifier });
export const getAgreementVersion = z.strictObject({ agreementId: identifier, version: positive });
