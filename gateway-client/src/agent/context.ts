import type { AgreementView, EpochView, Institution } from '@strokeshare/chaincode';
import type { ColumnBatch, KeyCeremony } from '@strokeshare/fhe';
import { StorageError, type BlobStore } from '@strokeshare/storage-node';
import type { InstitutionClient, RecordsClient } from '../connect/index.js';
import type { EpochKeys, Evaluators } from './evaluators.js';
import type { Heard } from './heard.js';
import type { InstitutionKeys } from './keys.js';
import type { OriginalRecords } from './originals.js';
import type { PeerBlobs } from './peer-blobs.js';
import type { InstitutionPolicy } from './policy.js';
import type { ReplayedJob } from './replay.js';
import type { OpenJournal } from './share-book.js';
import type { Vault } from './vault.js';

/** One line about what an agent did; never a secret, never a patient's value. */
export interface AgentEvent {
  mspId: string;
  step: string;
  /** Epoch, agreement or job. */
  id: string;
  message: string;
}

/** A message of a ceremony that was committed to, with what opens the commitment. */
export interface SentMessage {
  nonce: string;
  bytesHash: string;
  bytes: Uint8Array;
}

/** A ceremony that this process takes part in. Its secrets live in memory alone and are lost with it. */
export interface OngoingCeremony {
  ceremony: KeyCeremony;
  attempt: number;
  /** Own messages that were committed to, by label. */
  sent: Map<string, SentMessage>;
  /** The state that was last seen complete, and since when (milliseconds). */
  complete?: { state: string; since: number };
  /** What was shown after a dispute. */
  disclosure?: Uint8Array;
  /** Hashes of the combined keys, once they are made and the own share is stored. */
  result?: { publicKeyHash: string; relinKeysHash: string };
}

/** Everything that the steps of one institution's agent work with. */
export interface AgentContext {
  readonly mspId: string;
  readonly consortium: InstitutionClient;
  readonly records: RecordsClient;
  /** What the institution publishes, through its internal zone. */
  readonly store: BlobStore;
  /** Original records, in the internal zone. */
  readonly originals: OriginalRecords;
  readonly peers: PeerBlobs;
  readonly vault: Vault;
  readonly keys: InstitutionKeys;
  readonly policy: InstitutionPolicy;
  readonly evaluators: Evaluators;
  readonly ceremonies: Map<string, OngoingCeremony>;
  /** The own partials that this process evaluated: job to cell to blob, until the job ends. */
  readonly evaluations: Map<string, ReadonlyMap<string, Uint8Array>>;
  /** Jobs that this process recomputed, until they end. */
  readonly replays: Map<string, Promise<ReplayedJob>>;
  /** Agreements whose signatures this process verified, by id and digest. */
  readonly agreements: Map<string, AgreementView>;
  /** Release journals of the own keys, by the name of their files. */
  readonly releases: Map<string, Promise<OpenJournal>>;
  /** Jobs that cannot be served, until when (milliseconds) they are left alone, and how long that is; the others go on. */
  readonly setAside: Map<string, { until: number; rest: number }>;
  /** What each open job waits for before it gives this institution something to do. */
  readonly expected: Map<string, Pick<Heard, 'events' | 'state'>>;
  /** Since when (milliseconds) this institution waits for others before it in line. */
  readonly waiting: Map<string, number>;
  /** Plain columns of the own datasets, for the own counts. */
  readonly ownColumns: Map<string, Promise<ColumnBatch[]>>;
  readonly report: (event: AgentEvent) => void;
  readonly signal: AbortSignal;
}

/**
 * A step reads the ledger, does at most one thing, and says whether it did.
 *
 * @param heard - what events named since the last look, by id, where nothing else may have changed; a step that goes by
 *   them takes each one out once it has looked at it. Undefined: look at everything.
 */
export type Step = (context: AgentContext, heard?: Map<string, Heard>) => Promise<boolean>;

/** Reports in the name of the context's institution. */
export function report(context: AgentContext, step: string, id: string, message: string): void {
  context.report({ mspId: context.mspId, step, id, message });
}

/** The keys of an active epoch. */
export function epochKeys(context: AgentContext, epoch: KeyedEpoch): EpochKeys {
  return {
    epochId: epoch.epochId,
    publicKey: () => epochKey(context, epoch, epoch.publicKeyHash),
    relinKeys: () => epochKey(context, epoch, epoch.relinKeysHash),
  };
}

/** What the ledger says of an epoch's public keys and of whoever made them. */
export type KeyedEpoch = Pick<EpochView, 'epochId' | 'members' | 'publicKeyHash' | 'relinKeysHash'>;

/**
 * A public key of an epoch by its hash: from the own store, where every member keeps it. An institution that holds no
 * share gets it from a member once, and keeps it as well.
 *
 * @throws StorageError where no member gives it.
 */
export async function epochKey(
  { store, peers, mspId }: Pick<AgentContext, 'store' | 'peers' | 'mspId'>,
  { epochId, members }: KeyedEpoch,
  hash: string | undefined,
): Promise<Uint8Array> {
  if (hash === undefined) throw new TypeError(`epoch ${epochId} has no keys yet`);
  let missing: unknown;
  try {
    return await store.get(hash);
  } catch (error) {
    if (!(error instanceof StorageError && error.code === 'NOT_FOUND')) throw error;
    missing = error;
  }
  for (const member of members.filter((other) => other !== mspId)) {
    try {
      const key = await peers.get(member, hash, { kind: 'epoch', epochId });
      await store.put(key);
      return key;
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      missing = error;
    }
  }
  throw missing;
}

/** All enrolled institutions, in the order of their MSP IDs. */
export async function allInstitutions({ consortium, signal }: AgentContext): Promise<Institution[]> {
  return allPages((after) => consortium.institutions.list(after === undefined ? {} : { after }, { signal }));
}

/** Reads a list to its end. */
export async function allPages<T>(
  page: (after: string | undefined) => Promise<{ items: T[]; next?: string | undefined }>,
): Promise<T[]> {
  const items: T[] = [];
  let after: string | undefined;
  do {
    const result = await page(after);
    items.push(...result.items);
    after = result.next;
  } while (after !== undefined);
  return items;
}
