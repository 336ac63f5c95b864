/** Deletions in the storage node, recorded on the institution's private channel before they are done. */
import { z } from 'zod';
import { instant, sha256, text } from './primitives.js';

export const recordDeletion = z.strictObject({
  /** SHA-256 of the object. */
  object: sha256,
  /** SHA-256 of the request that two people signed. */
  requestDigest: sha256,
  reason: text,
  /** Their certificate subjects. */
  approvedBy: z
    .tuple([z.string().min(1).max(400), z.string().min(1).max(400)])
    .refine(([first, second]) => first !== second, 'names one person twice'),
});
export type RecordDeletion = z.infer<typeof recordDeletion>;

export const deletion = z.strictObject({ ...recordDeletion.shape, at: instant });
export type Deletion = z.infer<typeof deletion>;
