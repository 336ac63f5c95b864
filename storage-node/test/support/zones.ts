/** Both zones of institutions in a test's own process, over real TLS, with a ledger that the test speaks for. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  externalConfig,
  ExternalZone,
  InternalClient,
  internalConfig,
  InternalZone,
  KeyRing,
  RemoteBlobs,
  type Anchor,
  type DeletionRecord,
  type ExternalOptions,
  type GrantQuestion,
} from '../../src/index.js';
import { Institution, subjectOf } from './institutions.js';

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
export const CLAIM = { kind: 'job', jobId: 'job-1' };

/** A ledger that says what the test wants. */
export class FakeLedger {
  /** `MSP blob` pairs that are granted. */
  readonly granted = new Set<string>();
  readonly asked: GrantQuestion[] = [];
  readonly heads: Anchor[] = [];
  readonly deletions: DeletionRecord[] = [];
  reachable = true;

  readonly check = async (question: GrantQuestion): Promise<boolean> => {
    this.asked.push(question);
    this.mustReach();
    return this.granted.has(`${question.mspId} ${question.blob}`);
  };
  readonly anchor = async ({ sequence, head }: { sequence: number; head: string }): Promise<void> => {
    this.mustReach();
    this.heads.push({ sequence, head, at: new Date().toISOString() });
  };
  readonly anchors = async (): Promise<Anchor[]> => this.heads;
  readonly recordDeletion = async (record: DeletionRecord): Promise<void> => {
    this.mustReach();
    this.deletions.push(record);
  };

  grant(mspId: string, blob: string): void {
    this.granted.add(`${mspId} ${blob}`);
  }

  revoke(mspId: string, blob: string): void {
    this.granted.delete(`${mspId} ${blob}`);
  }

  private mustReach(): void {
    if (!this.reachable) throw new Error('the peer does not answer');
  }
}

export interface ZoneChanges {
  external?: Partial<ExternalOptions>;
  config?: Record<string, unknown>;
}

/** Institutions below one folder that is removed at the end. */
export class Place implements AsyncDisposable {
  private readonly ends: (() => unknown)[] = [];

  private constructor(
    readonly root: string,
    readonly institutions: readonly Institution[],
  ) {}

  static async create(count: number): Promise<Place> {
    const root = await mkdtemp(join(tmpdir(), 'strokeshare-zones-'));
    const numbers = Array.from({ length: count }, (_, i) => i + 1);
    return new Place(root, await Promise.all(numbers.map((number) => Institution.create(root, number))));
  }

  at(index: number): Institution {
    const institution = this.institutions[index];
    if (!institution) throw new TypeError('there are not so many institutions');
    return institution;
  }

  later(end: () => unknown): void {
    this.ends.push(end);
  }

  /** The external zone of an institution; its publishers are the own agent and, with a quota, the others'. */
  async external(index: number, ledger: FakeLedger, changes: ZoneChanges = {}): Promise<ExternalZone> {
    const owner = this.at(index);
    const config = externalConfig.parse({
      zone: 'external',
      mspId: owner.mspId,
      listen: { host: '127.0.0.1', port: 0 },
      publish: { host: '127.0.0.1', port: 0 },
      tls: { certificate: owner.path('tls/cert.pem'), key: owner.path('tls/key.pem') },
      members: Object.fromEntries(this.institutions.map(({ mspId, msp }) => [mspId, msp])),
      publishers: this.institutions.map(({ mspId, agent }) => ({
        mspId,
        subject: subjectOf(agent.certificate),
        ...(mspId !== owner.mspId && { quotaBytes: 10_000_000 }),
      })),
      ledger: profile(owner),
      requestsPerSecond: 100_000,
      ...changes.config,
    });
    const zone = await ExternalZone.open(owner.path('external'), config, {
      grants: ledger,
      ...changes.external,
    });
    this.later(() => zone[Symbol.asyncDispose]());
    return zone;
  }

  async internal(
    index: number,
    ledger: FakeLedger,
    external: ExternalZone | { ports: { publish: number } },
    changes: Record<string, unknown> = {},
    now?: () => Date,
  ): Promise<InternalZone> {
    const owner = this.at(index);
    const config = internalConfig.parse({
      zone: 'internal',
      mspId: owner.mspId,
      listen: { host: '127.0.0.1', port: 0 },
      tls: { certificate: owner.path('tls/cert.pem'), key: owner.path('tls/key.pem') },
      msp: owner.msp,
      identity: { certificate: owner.path('agent/cert.pem'), key: owner.path('agent/key.pem') },
      publish: this.inner(index, external.ports.publish),
      ledger: profile(owner),
      recordsChannel: 'records',
      keys: { file: owner.path('keys.json') },
      ...changes,
    });
    const zone = await InternalZone.open(owner.path('internal'), config, {
      ledger,
      keys: await KeyRing.file(owner.path('keys.json')),
      ...(now && { now }),
    });
    this.later(() => zone[Symbol.asyncDispose]());
    return zone;
  }

  /** How the inside reaches an institution's inner side. */
  inner(index: number, port: number): Record<string, unknown> {
    const { serverName, path } = {
      serverName: this.at(index).serverName,
      path: this.at(index).path('tls/ca.pem'),
    };
    return { host: '127.0.0.1', port, serverName, authority: path };
  }

  /** The agent's way into its own internal zone. */
  client(index: number, zone: InternalZone, who = this.at(index).agent): InternalClient {
    const client = new InternalClient(this.at(index).endpoint(zone.port, who));
    this.later(() => client[Symbol.dispose]());
    return client;
  }

  /** Another institution's agent at an external zone. */
  reader(owner: number, zone: ExternalZone, who: Institution['agent'], patienceMs = 0): RemoteBlobs {
    const reader = new RemoteBlobs(this.at(owner).endpoint(zone.ports.read, who), { patienceMs });
    this.later(() => reader[Symbol.dispose]());
    return reader;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.ends.reverse()) await end();
    await rm(this.root, { recursive: true, force: true });
  }
}

/** A profile that no test connects with: the ledger is a fake. */
const profile = ({ mspId }: Institution) => ({
  mspId,
  peerEndpoint: 'localhost:1',
  peerHostAlias: 'peer',
  tlsCaCertPath: 'none',
  certPath: 'none',
  keyPath: 'none',
});
