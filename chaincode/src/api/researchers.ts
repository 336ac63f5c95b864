/** Researchers and the keys that results are sealed to. */
import { z } from 'zod';
import { instant, label, mspId, researcherId, sealingKey } from './primitives.js';

export const registerResearcher = z.strictObject({
  name: label,
  affiliation: label,
  /** Released shares are sealed to it. */
  sealingKey,
});
export type RegisterResearcher = z.infer<typeof registerResearcher>;

export const researcher = registerResearcher.extend({
  researcherId,
  mspId,
  subject: z.string(),
  status: z.enum(['ACTIVE']),
  registeredAt: instant,
});
export type Researcher = z.infer<typeof researcher>;

/** Without an id: the caller's own entry. */
export const getResearcher = z.strictObject({ researcherId: researcherId.optional() });
