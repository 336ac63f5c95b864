import { join } from 'node:path';
import { FileBlobStore } from '../file-blob-store.js';
import { GrantCache, type GrantCacheOptions, type GrantSource } from '../grants/grant-cache.js';
import { Listener, type ListenerLimits } from '../http/listener.js';
import { Tally } from '../http/tally.js';
import { Organizations } from '../identity/msp.js';
import { Journal } from '../journal/journal.js';
import { LiveObjects, noteUnacknowledged } from '../journal/objects.js';
import { Scrub } from '../scrub.js';
import { readPem } from '../config.js';
import type { ExternalConfig } from './config.js';
import { Publishing, type FilledStore, type Publisher } from './publishing.js';
import { Reading, type ReadLimits } from './reading.js';

/** What a zone is opened with besides its configuration; tests set bounds. */
export interface ExternalOptions {
  grants: GrantSource;
  cache?: GrantCacheOptions;
  listener?: Partial<ListenerLimits>;
  reading?: Partial<ReadLimits>;
  /** Certificates and revocation lists are looked at again after so many milliseconds. */
  reloadMs?: number;
  now?: () => Date;
}

const RELOAD_MS = 3_000;
/** How long the end of the zone waits for the internal zone to read the last lines of the journal. */
const LAST_READ_MS = 5_000;

/** The external zone: what other institutions reach. It holds ciphertexts and no key to anything else. */
export class ExternalZone implements AsyncDisposable {
  private constructor(
    private readonly listeners: readonly [Listener, Listener],
    readonly journal: Journal,
    readonly scrub: Scrub,
    private readonly publishing: Publishing,
    private readonly closing: AbortController,
    private readonly ends: readonly (() => Promise<void>)[],
  ) {}

  /**
   * Opens the zone of a folder: `journal.jsonl`, `blobs`, and `replicas/<MSP>`.
   *
   * @throws StorageError `CONFIG_INVALID`, `STORE_OUTDATED`, `JOURNAL_DAMAGED`, `UNAVAILABLE`, `NO_SPACE`, `IO`.
   */
  static async open(folder: string, config: ExternalConfig, options: ExternalOptions): Promise<ExternalZone> {
    const { members, mspId, publishers } = config;
    const objects = new Map<string, LiveObjects>();
    const objectsOf = (owner: string): LiveObjects => {
      const known = objects.get(owner) ?? new LiveObjects();
      objects.set(owner, known);
      return known;
    };
    const own = await FileBlobStore.open(join(folder, 'blobs'));
    await own.clearIncoming();
    const journal = await Journal.open(join(folder, 'journal.jsonl'), {
      visit: (entry) => {
        const replica = entry.detail === 'replica' && entry.mspId !== undefined;
        objectsOf(replica && entry.mspId !== undefined ? entry.mspId : mspId).visit(entry);
      },
      ...(options.now && { now: options.now }),
    });
    await noteUnacknowledged(own, objectsOf(mspId), async (blob) => {
      const fact = { event: 'stored' as const, blob, detail: 'found at the start, never acknowledged' };
      const { sequence } = await journal.append(fact);
      objectsOf(mspId).visit({ ...fact, sequence, at: new Date().toISOString() });
    });
    const organizations = await Organizations.load(members);
    const stores = new Map<string, FilledStore>([[mspId, { store: own, bytes: 0 }]]);
    for (const publisher of publishers)
      if (publisher.quotaBytes !== undefined)
        stores.set(publisher.mspId, await openReplicas(folder, publisher));
    const scrub = new Scrub(
      [...stores].map(([owner, { store }]) => ({ store, expected: () => objectsOf(owner).since.keys() })),
      journal,
    );
    const tally = new Tally(journal);
    const closing = new AbortController();
    const common = { organizations, journal, ...(options.now && { now: options.now }) };
    const reading = new Reading({
      ...common,
      tally,
      stores: () => [...stores.values()].map(({ store }) => store),
      grants: new GrantCache(options.grants, options.cache),
      limits: { requestsPerSecond: config.requestsPerSecond, ...options.reading },
    });
    const publishing = new Publishing({
      ...common,
      publishers,
      storeOf: async (publisher) => {
        const filled = stores.get(publisher.quotaBytes === undefined ? mspId : publisher.mspId);
        if (!filled) throw new TypeError('every publisher has a store');
        return filled;
      },
      maximumBlobBytes: config.maximumBlobBytes,
      damaged: () => scrub.damaged,
      settled: (blob) => scrub.settle(blob),
      noted: (owner, entry) => objectsOf(owner).visit(entry),
      closing: closing.signal,
    });
    const [certificate, key] = await Promise.all([readPem(config.tls.certificate), readPem(config.tls.key)]);
    const listen = (
      place: ExternalConfig['listen'],
      handle: Reading['handle'],
      side: string,
    ): Promise<Listener> =>
      Listener.open({
        ...place,
        certificate,
        key,
        authorities: organizations.authorities,
        ...(options.listener && { limits: options.listener }),
        handle,
        refused: (address, reason) => tally.add(`${side} ${address}`, reason),
      });
    const outer = await listen(config.listen, reading.handle, 'outer');
    const inner = await listen(config.publish, publishing.handle, 'inner').catch(async (error: unknown) => {
      await outer.close();
      throw error;
    });
    const reload = setInterval(() => {
      void organizations
        .refresh()
        .then((changed) => {
          if (changed)
            for (const listener of [outer, inner])
              listener.trust(certificate, key, organizations.authorities);
        })
        .catch(() => undefined);
    }, options.reloadMs ?? RELOAD_MS).unref();
    const scrubbing = scrub.run(config.scrubSeconds * 1000, closing.signal);
    return new ExternalZone([outer, inner], journal, scrub, publishing, closing, [
      () => tally.close(),
      async () => clearInterval(reload),
      () => scrubbing,
    ]);
  }

  /** Ports of the outer and of the inner side. */
  get ports(): { read: number; publish: number } {
    const [outer, inner] = this.listeners;
    return { read: outer.port, publish: inner.port };
  }

  /** Ends serving; the internal zone reads the last lines of the journal before the inner side closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.closing.signal.aborted) return;
    const [outer, inner] = this.listeners;
    await outer.close(1_000);
    const [tally, ...others] = this.ends;
    await tally?.();
    await this.journal.append({ event: 'closed' }).catch(() => undefined);
    const read = this.publishing.readToEnd(LAST_READ_MS);
    this.closing.abort();
    for (const end of others) await end();
    await read;
    await inner.close(100);
    await this.journal.close({ noted: true });
  }
}

async function openReplicas(folder: string, { mspId }: Publisher): Promise<FilledStore> {
  const store = await FileBlobStore.open(join(folder, 'replicas', mspId));
  await store.clearIncoming();
  let bytes = 0;
  for await (const hash of store.hashes()) {
    const blob = await store.open(hash);
    bytes += blob.size;
    await blob.close();
  }
  return { store, bytes };
}
