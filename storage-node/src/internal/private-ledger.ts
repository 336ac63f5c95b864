import type { Anchor } from '../journal/verify.js';

/** A deletion as the private channel records it, before it is done. */
export interface DeletionRecord {
  object: string;
  requestDigest: string;
  reason: string;
  approvedBy: [string, string];
}

/** What the internal zone writes to its institution's private channel. */
export interface PrivateLedger {
  /** Notes the head of the journal. @throws where the channel holds another one, or cannot be reached. */
  anchor(head: { sequence: number; head: string }): Promise<void>;
  /** All anchors, in the order of their sequences. */
  anchors(): Promise<Anchor[]>;
  recordDeletion(record: DeletionRecord): Promise<void>;
}
