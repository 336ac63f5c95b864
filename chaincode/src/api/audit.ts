/** The audit trail: who did what, when, under which version of which agreement, and what was decided or released. */
import { z } from 'zod';
import { decisionSteps, refusal } from './decisions.js';
import {
  count,
  distinct,
  identifier,
  instant,
  listRequest,
  mspId,
  positive,
  researcherId,
  sha256,
} from './primitives.js';

/** DECISION: a step was permitted. REFUSAL: policy refused it. RELEASE: results left. CHANGE: a right changed. */
export const auditKinds = ['DECISION', 'REFUSAL', 'RELEASE', 'CHANGE'] as const;
export type AuditKind = (typeof auditKinds)[number];

/** What an entry is about: it is found under each of these. */
export const auditSubjects = ['job', 'agreement', 'dataset', 'researcher', 'institution'] as const;
export type AuditSubject = (typeof auditSubjects)[number];

export const agreementReference = z.strictObject({
  agreementId: identifier,
  version: positive,
  digest: sha256,
});

export const auditEntry = z.strictObject({
  /** Id of the Fabric transaction. */
  entryId: z.string().min(1).max(128),
  /** The transaction's timestamp. */
  at: instant,
  /** `JobContract:Submit`. */
  transaction: z.string(),
  by: z.strictObject({ mspId, subject: z.string() }),
  kind: z.enum(auditKinds),
  /** The step of a job that was decided on. */
  step: z.enum(decisionSteps).optional(),
  /** Of the job, agreement, permission, dataset or researcher, after the transaction. */
  state: z.string().optional(),
  refusal: refusal.optional(),
  /** Why, where somebody had to say it. */
  reason: z.string().optional(),
  /** How many cells were released. */
  released: count.optional(),
  agreement: agreementReference.optional(),
  jobId: identifier.optional(),
  researcherId: researcherId.optional(),
  datasets: z.array(identifier),
  /** Owners, parties, and whoever called. */
  institutions: distinct(mspId, 0, 200),
});
export type AuditEntry = z.infer<typeof auditEntry>;

/** Entries in the order of time: all, or those about one thing; `from` inclusive, `until` exclusive. */
export const listAudit = listRequest.extend({
  about: z.strictObject({ subject: z.enum(auditSubjects), id: z.string().min(1).max(400) }).optional(),
  from: instant.optional(),
  until: instant.optional(),
});
export type ListAudit = z.infer<typeof listAudit>;

export const auditAgreement = z.strictObject({ agreementId: identifier });
export const auditReference = z.strictObject({ entryId: z.string(), at: instant });
