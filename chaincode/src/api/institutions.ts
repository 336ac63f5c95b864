/** Institutions of the consortium. */
import { z } from 'zod';
import { instant, label, mspId, sealingKey, signingKey } from './primitives.js';

export const institutionLevels = ['national', 'provincial', 'municipal', 'county', 'community'] as const;

/** The caller's own organisation joins the registry; its agent's certificate subject is bound to the entry. */
export const enrollInstitution = z.strictObject({
  name: label,
  level: z.enum(institutionLevels),
  /** Signs agreements and verdicts. */
  signingKey,
  /** Messages from one key holder to another are sealed to it. */
  sealingKey,
});
export type EnrollInstitution = z.infer<typeof enrollInstitution>;

export const institution = enrollInstitution.extend({
  mspId,
  /** Subject of the agent's certificate: renewed certificates keep it. */
  subject: z.string(),
  status: z.enum(['ACTIVE']),
  enrolledAt: instant,
});
export type Institution = z.infer<typeof institution>;

export const getInstitution = z.strictObject({ mspId });
