/** Researchers and the keys that results are sealed to. */
import { z } from 'zod';
import { instant, label, mspId, researcherId, sealingKey, text } from './primitives.js';

export const registerResearcher = z.strictObject({
  name: label,
  affiliation: label,
  /** Released shares are sealed to it. */
  sealingKey,
});
export type RegisterResearcher = z.infer<typeof registerResearcher>;

/** Who took the right to ask away, and why; whoever did it gives it back. */
export const researcherSuspension = z.strictObject({
  by: z.string(),
  reason: z.string(),
  at: instant,
});
/** `home`: the operator of the researcher's own organisation. `members`: a motion that the members carried. */
export const suspenders = ['home', 'members'] as const;
export type Suspender = (typeof suspenders)[number];

export const researcher = registerResearcher.extend({
  researcherId,
  mspId,
  /** Subject of the certificate: renewed certificates keep it. */
  subject: z.string(),
  /** ACTIVE exactly while nobody suspends. */
  status: z.enum(['ACTIVE', 'SUSPENDED']),
  registeredAt: instant,
  suspensions: z.partialRecord(z.enum(suspenders), researcherSuspension),
});
export type Researcher = z.infer<typeof researcher>;

export const suspendResearcher = z.strictObject({ researcherId, reason: text });
export type SuspendResearcher = z.infer<typeof suspendResearcher>;
export const restoreResearcher = z.strictObject({ researcherId });
export type RestoreResearcher = z.infer<typeof restoreResearcher>;
/** By the operator of the researcher's organisation: researchers do not choose their affiliation again themselves. */
export const affiliateResearcher = z.strictObject({ researcherId, affiliation: label });
export type AffiliateResearcher = z.infer<typeof affiliateResearcher>;
/** Shares posted before stay sealed to the key before. */
export const rotateResearcherKey = z.strictObject({ sealingKey });
export type RotateResearcherKey = z.infer<typeof rotateResearcherKey>;

/** Without an id: the caller's own entry. */
export const getResearcher = z.strictObject({ researcherId: researcherId.optional() });
