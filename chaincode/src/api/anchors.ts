/** Anchors of a storage node's access journal: a hash chain whose head is noted on the institution's private channel. */
import { z } from 'zod';
import { instant, positive, sha256 } from './primitives.js';

export const anchorJournal = z.strictObject({
  /** Number of the journal's last entry that the head covers, from 1; larger than that of every anchor before. */
  sequence: positive,
  /** SHA-256 of that entry, which covers all entries before it. */
  head: sha256,
});
export type AnchorJournal = z.infer<typeof anchorJournal>;

export const journalAnchor = anchorJournal.extend({ at: instant });
export type JournalAnchor = z.infer<typeof journalAnchor>;

/** The anchor of one sequence, or the last one. */
export const getJournalAnchor = z.strictObject({ sequence: positive.optional() });
export type GetJournalAnchor = z.infer<typeof getJournalAnchor>;
