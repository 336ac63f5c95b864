import type { ObjectStore } from '../blob-store.js';
import { checkBlob } from '../file-blob-store.js';
import type { JournalEntry } from './entry.js';
import type { Finding } from './verify.js';

/** Follows a journal and knows which objects must be there. */
export class LiveObjects {
  /** Object to the entry that brought it. */
  readonly since = new Map<string, { sequence: number; at: string }>();

  readonly visit = ({ event, blob, sequence, at }: Omit<JournalEntry, 'previous'>): void => {
    if (blob === undefined) return;
    if (event === 'stored' && !this.since.has(blob)) this.since.set(blob, { sequence, at });
    if (event === 'deleted') this.since.delete(blob);
  };
}

/** Compares the objects of a store, byte by byte, with those that its journal tells of. */
export async function verifyObjects(
  store: Pick<ObjectStore, 'open' | 'hashes'>,
  { since }: LiveObjects,
): Promise<{ objects: number; findings: Finding[] }> {
  const findings: Finding[] = [];
  for (const [hash, { sequence }] of since) {
    const state = await checkBlob(store, hash);
    if (state === 'intact') continue;
    const how = state === 'missing' ? 'is missing' : 'holds other bytes than were stored';
    findings.push({ kind: state, what: hash, sentence: `Object ${hash} of entry ${sequence} ${how}.` });
  }
  for await (const hash of store.hashes()) {
    if (since.has(hash)) continue;
    findings.push({
      kind: 'unknown',
      what: hash,
      sentence: `No entry of the journal tells of object ${hash}.`,
    });
  }
  return { objects: since.size, findings };
}

/**
 * Notes objects that are in a store without an entry: a crash between the object and its entry leaves them, and nobody
 * was told that they are kept.
 */
export async function noteUnacknowledged(
  store: Pick<ObjectStore, 'hashes'>,
  live: LiveObjects,
  note: (blob: string) => Promise<void>,
): Promise<void> {
  for await (const hash of store.hashes()) if (!live.since.has(hash)) await note(hash);
}
