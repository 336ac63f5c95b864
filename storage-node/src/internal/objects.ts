import { collect, type ZoneClient } from '../client/zone-client.js';
import { StorageError } from '../errors.js';
import { type FileBlobStore } from '../file-blob-store.js';
import type { Journal } from '../journal/journal.js';
import type { JournalEntry, JournalFact } from '../journal/entry.js';
import { LiveObjects } from '../journal/objects.js';

/** Kinds of objects that an internal zone holds. */
export type ObjectKind = 'original' | 'ciphertext';

/**
 * What the journal says is there and may not go: objects by kind, legal holds, and requests that were used. All of it
 * follows from the journal, so that there is one truth and the ledger anchors it.
 */
export class Register {
  readonly live: Record<ObjectKind, LiveObjects> = {
    original: new LiveObjects(),
    ciphertext: new LiveObjects(),
  };
  readonly held = new Map<string, string>();
  readonly used = new Set<string>();
  /** Hosts that acknowledged a replica, as `MSP/hash`. */
  readonly replicated: [hash: string, mspId: string][] = [];

  readonly visit = (entry: Omit<JournalEntry, 'previous'>): void => {
    const { event, blob, detail = '', mspId } = entry;
    if (blob === undefined) return;
    if (event === 'stored') this.live[detail === 'original' ? 'original' : 'ciphertext'].visit(entry);
    if (event === 'deleted') for (const live of Object.values(this.live)) live.visit(entry);
    if (event === 'held') this.held.set(blob, detail);
    if (event === 'released') this.held.delete(blob);
    if (event === 'replicated' && mspId !== undefined) this.replicated.push([blob, mspId]);
    const request = /^request ([0-9a-f]{64})/.exec(detail)?.[1];
    if (request !== undefined && (event === 'deleted' || event === 'released')) this.used.add(request);
  };

  /** Adds an entry to the journal, and to what is known from it. */
  async note(journal: Pick<Journal, 'append'>, fact: JournalFact): Promise<void> {
    const { sequence } = await journal.append(fact);
    this.visit({ ...fact, sequence, at: new Date().toISOString() });
  }
}

/** Somewhere else where a ciphertext may be whole. */
export type RepairSource = Pick<ZoneClient, 'send'>;

/**
 * Fetches a blob by its hash from the first source that has it whole, and keeps it.
 *
 * @returns whether one had it.
 */
export async function repairBlob(
  hash: string,
  store: FileBlobStore,
  sources: readonly RepairSource[],
  maximumBytes: number,
): Promise<boolean> {
  for (const source of sources) {
    try {
      const answer = await source.send({ method: 'GET', path: `/v1/blobs/${hash}` });
      if (answer.statusCode !== 200) {
        answer.resume();
        continue;
      }
      const bytes = await collect(answer, maximumBytes);
      await store.receive(hash, one(bytes), maximumBytes);
      return true;
    } catch (error) {
      // The next one may have it; only a store that cannot be written ends the search.
      if (error instanceof StorageError && (error.code === 'NO_SPACE' || error.code === 'IO')) throw error;
    }
  }
  return false;
}

async function* one(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}
