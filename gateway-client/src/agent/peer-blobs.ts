import { type BlobStore, FileBlobStore } from '@strokeshare/storage-node';
import { ClientError } from '../errors.js';

/** Reads what an institution published, by the hash that the ledger holds. */
export interface PeerBlobs {
  /**
   * @param owner - MSP ID of the institution whose store holds the blob.
   * @throws StorageError `NOT_FOUND`, `CORRUPT`: the bytes are always the ones of that hash.
   */
  get(owner: string, hash: string): Promise<Uint8Array>;
}

/** The stores of all institutions as folders that this machine can read. */
export class FolderPeerBlobs implements PeerBlobs {
  private readonly opened = new Map<string, Promise<Pick<BlobStore, 'get'>>>();

  /** @param folders - store folder by MSP ID. */
  constructor(private readonly folders: Readonly<Record<string, string>>) {}

  async get(owner: string, hash: string): Promise<Uint8Array> {
    const folder = this.folders[owner];
    if (folder === undefined) {
      throw new ClientError('PROFILE_INVALID', `No store of ${owner} is configured.`);
    }
    let store = this.opened.get(owner);
    if (!store) this.opened.set(owner, (store = FileBlobStore.open(folder)));
    return (await store).get(hash);
  }
}
