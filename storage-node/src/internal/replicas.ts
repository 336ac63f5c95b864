import { createHash } from 'node:crypto';
import type { FileBlobStore } from '../file-blob-store.js';
import type { Journal } from '../journal/journal.js';
import { clip } from '../journal/entry.js';
import type { ZoneClient } from '../client/zone-client.js';

/** Another institution whose external zone keeps replicas. */
export interface ReplicaHost {
  mspId: string;
  client: Pick<ZoneClient, 'json'>;
}

/**
 * Keeps every ciphertext at a stated number of other institutions. Which ones follows from the blob's hash (rendezvous
 * hashing), so that nothing has to be remembered and a host that joins or leaves moves few blobs.
 */
export class Replicas {
  private readonly pending = new Set<string>();
  private readonly done = new Set<string>();

  constructor(
    private readonly hosts: readonly ReplicaHost[],
    private readonly count: number,
    private readonly store: Pick<FileBlobStore, 'get'>,
    private readonly journal: Pick<Journal, 'append'>,
  ) {}

  /** The hosts of a blob, the first choice first. */
  hostsOf(hash: string): ReplicaHost[] {
    const weight = ({ mspId }: ReplicaHost): string =>
      createHash('sha256').update(`${mspId}/${hash}`).digest('hex');
    return [...this.hosts].sort((a, b) => (weight(a) < weight(b) ? -1 : 1)).slice(0, this.count);
  }

  /** A blob that its hosts do not have yet. */
  add(hash: string): void {
    this.pending.add(hash);
  }

  /** A blob that a host acknowledged before, as the journal says. */
  acknowledged(hash: string, mspId: string): void {
    this.done.add(`${mspId}/${hash}`);
  }

  /** Blobs that wait for a host. */
  get waiting(): number {
    return this.pending.size;
  }

  /**
   * Brings every waiting blob to its hosts; one that cannot be reached is tried the next time.
   *
   * @returns how many blobs wait still.
   */
  async push(signal?: AbortSignal): Promise<number> {
    for (const hash of [...this.pending]) {
      if (signal?.aborted) break;
      const hosts = this.hostsOf(hash).filter(({ mspId }) => !this.done.has(`${mspId}/${hash}`));
      const results = await Promise.all(hosts.map((host) => this.bring(hash, host)));
      if (results.every(Boolean)) this.pending.delete(hash);
    }
    return this.pending.size;
  }

  private async bring(hash: string, { mspId, client }: ReplicaHost): Promise<boolean> {
    try {
      const body = await this.store.get(hash);
      await client.json({ method: 'PUT', path: `/v1/blobs/${hash}`, body });
      await this.journal.append({ event: 'replicated', mspId, blob: hash });
      this.done.add(`${mspId}/${hash}`);
      return true;
    } catch {
      return false;
    }
  }

  /** Deletes a blob at its hosts. @returns hosts that could not be told. */
  async forget(hash: string): Promise<string[]> {
    this.pending.delete(hash);
    const untold = await Promise.all(
      this.hostsOf(hash).map(async ({ mspId, client }) => {
        this.done.delete(`${mspId}/${hash}`);
        return client.json({ method: 'DELETE', path: `/v1/blobs/${hash}` }).then(
          () => [],
          () => [clip(mspId, 64)],
        );
      }),
    );
    return untold.flat();
  }
}
