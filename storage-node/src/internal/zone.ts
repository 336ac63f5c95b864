import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ZoneClient, type ZoneEndpoint } from '../client/zone-client.js';
import { readPem } from '../config.js';
import { FileBlobStore } from '../file-blob-store.js';
import { Listener, type ListenerLimits } from '../http/listener.js';
import { Tally } from '../http/tally.js';
import { Organizations } from '../identity/msp.js';
import { clip } from '../journal/entry.js';
import { Journal } from '../journal/journal.js';
import { noteUnacknowledged } from '../journal/objects.js';
import { Scrub } from '../scrub.js';
import { Anchoring } from './anchoring.js';
import type { InternalConfig } from './config.js';
import { ExternalJournal } from './external-journal.js';
import type { KeyEncryption } from './key-encryption.js';
import { Register, repairBlob } from './objects.js';
import { Originals } from './originals.js';
import type { PrivateLedger } from './private-ledger.js';
import { Replicas } from './replicas.js';
import { Serving } from './serving.js';

/** What a zone is opened with besides its configuration. */
export interface InternalOptions {
  ledger: PrivateLedger;
  keys: KeyEncryption;
  listener?: Partial<ListenerLimits>;
  now?: () => Date;
  /** One line about what the zone did by itself. */
  log?: (entry: Record<string, unknown>) => void;
}

const EXTERNAL_PAUSE_MS = 1_000;
const UPKEEP_MS = 5_000;

interface Zone {
  listener: Listener;
  journal: Journal;
  anchoring: Anchoring;
  external: ZoneClient;
  externalJournal: ExternalJournal;
  ciphertexts: FileBlobStore;
  originals: Originals;
  register: Register;
  replicas: Replicas;
  hosts: readonly { mspId: string; client: ZoneClient }[];
  scrub: Scrub;
  tally: Tally;
  maximumBlobBytes: number;
}

/** The internal zone: originals under lock and key, and the only source of what the external zone shows. */
export class InternalZone implements AsyncDisposable {
  private readonly closing = new AbortController();
  private readonly running: Promise<unknown>[];

  private constructor(
    private readonly zone: Zone,
    config: InternalConfig,
    private readonly log: (entry: Record<string, unknown>) => void,
  ) {
    const { signal } = this.closing;
    this.running = [
      zone.anchoring.run(config.anchorSeconds * 1000, signal),
      zone.externalJournal.run(EXTERNAL_PAUSE_MS, signal, log),
      zone.scrub.run(config.scrubSeconds * 1000, signal),
      this.upkeep(signal),
    ];
  }

  /**
   * Opens the zone of a folder: `journal.jsonl`, `external-journal.jsonl`, `ciphertexts`, `originals`.
   *
   * @throws StorageError `CONFIG_INVALID`, `STORE_OUTDATED`, `KEY_INVALID`, `JOURNAL_DAMAGED`, `CORRUPT`, `UNAVAILABLE`,
   *   `NO_SPACE`, `IO`.
   */
  static async open(folder: string, config: InternalConfig, options: InternalOptions): Promise<InternalZone> {
    const { keys, ledger, log = () => undefined, now = () => new Date() } = options;
    const { mspId, maximumBlobBytes } = config;
    const originals = await Originals.open(join(folder, 'originals'), keys);
    const ciphertexts = await FileBlobStore.open(join(folder, 'ciphertexts'));
    await ciphertexts.clearIncoming();
    const organizations = await Organizations.load({ [mspId]: config.msp });
    const register = new Register();
    const journal = await Journal.open(join(folder, 'journal.jsonl'), { visit: register.visit, now });
    await noteUnacknowledged(ciphertexts, register.live.ciphertext, (blob) =>
      register.note(journal, { event: 'stored', blob, detail: 'found at the start, never acknowledged' }),
    );
    await noteUnacknowledged(originals.objects, register.live.original, (blob) =>
      register.note(journal, { event: 'stored', blob, detail: 'original' }),
    );

    const identity = {
      certificate: await readPem(config.identity.certificate),
      key: await readPem(config.identity.key),
    };
    const clientOf = async (place: InternalConfig['publish']): Promise<ZoneClient> => {
      const { host, port, serverName, authority } = place;
      const endpoint: ZoneEndpoint = {
        host,
        port,
        serverName,
        ...identity,
        authority: await readPem(authority),
      };
      return new ZoneClient(endpoint);
    };
    const external = await clientOf(config.publish);
    const hosts = await Promise.all(
      config.replicas.hosts.map(async (host) => ({ mspId: host.mspId, client: await clientOf(host) })),
    );
    const replicas = new Replicas(hosts, config.replicas.count, ciphertexts, journal);
    for (const [hash, host] of register.replicated) replicas.acknowledged(hash, host);
    if (config.replicas.count > 0)
      for (const hash of register.live.ciphertext.since.keys()) replicas.add(hash);
    const scrub = new Scrub(
      [
        { store: ciphertexts, expected: () => register.live.ciphertext.since.keys() },
        { store: originals.objects, expected: () => register.live.original.since.keys() },
      ],
      journal,
    );
    const tally = new Tally(journal);
    const serving = new Serving({
      mspId,
      organizations,
      ciphertexts,
      originals,
      journal,
      register,
      external,
      replicas,
      ledger,
      maximumBlobBytes,
      retentionDays: config.retentionDays,
      now,
    });
    const [certificate, key] = await Promise.all([readPem(config.tls.certificate), readPem(config.tls.key)]);
    const listener = await Listener.open({
      ...config.listen,
      certificate,
      key,
      authorities: organizations.authorities,
      ...(options.listener && { limits: options.listener }),
      handle: async (request, response) => {
        await organizations.refresh().catch(() => undefined);
        await serving.handle(request, response);
      },
      refused: (address, reason) => tally.add(`inner ${address}`, reason),
    });
    const anchoring = new Anchoring(journal, ledger, log);
    const externalJournal = await ExternalJournal.open(
      join(folder, 'external-journal.jsonl'),
      external,
      journal,
    );
    const zone = {
      listener,
      journal,
      anchoring,
      external,
      externalJournal,
      ciphertexts,
      originals,
      register,
      replicas,
      hosts,
      scrub,
      tally,
      maximumBlobBytes,
    };
    return new InternalZone(zone, config, log);
  }

  get port(): number {
    return this.zone.listener.port;
  }

  get journal(): Journal {
    return this.zone.journal;
  }

  /** Reads every object and compares it with its name, then mends what can be mended; says what cannot. */
  async scrubOnce(): Promise<string[]> {
    await this.zone.scrub.once();
    await this.repair();
    return [...this.zone.scrub.damaged];
  }

  /** Brings replicas to their hosts; says how many blobs wait still. */
  replicate(): Promise<number> {
    return this.zone.replicas.push(this.closing.signal);
  }

  /** Mends own ciphertexts from elsewhere, and the external zone's from the own ones. */
  async repair(): Promise<void> {
    const { scrub, register, ciphertexts, external, hosts, journal, maximumBlobBytes, originals } = this.zone;
    const sources = [external, ...hosts.map(({ client }) => client)];
    for (const blob of [...scrub.damaged]) {
      if (originals.envelopeOf(blob)) continue;
      if (!(await repairBlob(blob, ciphertexts, sources, maximumBlobBytes))) continue;
      scrub.settle(blob);
      await journal.append({ event: 'repaired', blob });
    }
    const damaged = await external.json({ method: 'GET', path: '/v1/damaged' });
    for (const blob of Array.isArray(damaged) ? (damaged as unknown[]) : []) {
      if (typeof blob !== 'string' || !register.live.ciphertext.since.has(blob)) continue;
      const body = await ciphertexts.get(blob);
      await external.json({ method: 'PUT', path: `/v1/blobs/${blob}`, body });
      await journal.append({ event: 'repaired', blob, detail: 'in the external zone' });
    }
  }

  /** Ends serving, reads the external journal's end where that zone is ending, too, and anchors the last head. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { zone } = this;
    if (this.closing.signal.aborted) return;
    this.closing.abort();
    await zone.listener.close(2_000);
    await Promise.all(this.running);
    await zone.externalJournal.copyPage(AbortSignal.timeout(1_000), false).catch(() => undefined);
    await zone.tally.close();
    await zone.journal.append({ event: 'closed' }).catch(() => undefined);
    await zone.anchoring.anchorNow();
    await zone.journal.close({ noted: true });
    for (const client of [zone.external, ...zone.hosts.map((host) => host.client)]) client[Symbol.dispose]();
  }

  private async upkeep(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(UPKEEP_MS, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        await this.zone.replicas.push(signal);
        await this.repair();
      } catch (error) {
        if (!signal.aborted) this.log({ step: 'upkeep', error: clip(String(error)) });
      }
    }
  }
}
