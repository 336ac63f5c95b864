import type { GrantClaim } from '@strokeshare/chaincode';
import { type BlobStore, FileBlobStore, RemoteBlobs, type ZoneEndpoint } from '@strokeshare/storage-node';
import { ClientError } from '../errors.js';

/** Reads what an institution published, by the hash that the ledger holds. */
export interface PeerBlobs {
  /**
   * @param owner - MSP ID of the institution whose storage node holds the blob.
   * @param claim - by what right; that node asks the ledger whether it is so.
   * @throws StorageError `NOT_FOUND` (also without a grant), `CORRUPT`, `UNAVAILABLE`: the bytes are always the ones
   *   of that hash.
   */
  get(owner: string, hash: string, claim: GrantClaim): Promise<Uint8Array>;
}

/** The external zones of all institutions, over mutual TLS. */
export class ZonePeerBlobs implements PeerBlobs, Disposable {
  private readonly zones: ReadonlyMap<string, RemoteBlobs>;

  /** @param endpoints - external zone by MSP ID. */
  constructor(
    endpoints: Readonly<Record<string, ZoneEndpoint>>,
    private readonly signal: AbortSignal,
  ) {
    this.zones = new Map(
      Object.entries(endpoints).map(([mspId, endpoint]) => [mspId, new RemoteBlobs(endpoint)]),
    );
  }

  async get(owner: string, hash: string, claim: GrantClaim): Promise<Uint8Array> {
    const zone = this.zones.get(owner);
    if (!zone) throw new ClientError('PROFILE_INVALID', `No storage node of ${owner} is configured.`);
    return zone.get(hash, claim, this.signal);
  }

  [Symbol.dispose](): void {
    for (const zone of this.zones.values()) zone[Symbol.dispose]();
  }
}

/** The stores of all institutions as folders of one machine: for experiments without storage nodes. */
export class FolderPeerBlobs implements PeerBlobs, Disposable {
  private readonly opened = new Map<string, Promise<Pick<BlobStore, 'get'>>>();

  /** @param folders - store folder by MSP ID. */
  constructor(private readonly folders: Readonly<Record<string, string>>) {}

  async get(owner: string, hash: string): Promise<Uint8Array> {
    const folder = this.folders[owner];
    if (folder === undefined) throw new ClientError('PROFILE_INVALID', `No store of ${owner} is configured.`);
    let store = this.opened.get(owner);
    if (!store) this.opened.set(owner, (store = FileBlobStore.open(folder)));
    return (await store).get(hash);
  }

  [Symbol.dispose](): void {
    this.opened.clear();
  }
}
