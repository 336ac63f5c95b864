import { createHash, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { BlobStore } from './blob-store.js';
import { StorageError, fromSystem } from './errors.js';
import { nodeFileSystem, type FileSystem } from './file-system.js';

const HASH = /^[0-9a-f]{64}$/;

/**
 * A {@link BlobStore} in a folder: `ab/cd/abcd...`, so that no folder grows beyond what file systems like. A blob is
 * written under a temporary name, forced to the disk, renamed, and its folder forced too: a reader sees all of a blob
 * or nothing, and what `put` acknowledged survives a power cut.
 */
export class FileBlobStore implements BlobStore {
  private constructor(
    private readonly folder: string,
    private readonly files: FileSystem,
  ) {}

  /**
   * Opens the store, making its folder (readable by its owner alone) where it is not there.
   *
   * @throws StorageError `NO_SPACE`, `IO`.
   */
  static async open(folder: string, files: FileSystem = nodeFileSystem): Promise<FileBlobStore> {
    const store = new FileBlobStore(folder, files);
    await store.attempt('opening the store', () => files.mkdir(join(folder, 'incoming')));
    return store;
  }

  async put(bytes: Uint8Array): Promise<string> {
    const hash = sha256(bytes);
    const folders = this.foldersOf(hash);
    // Bytes that rotted on the disk are replaced: whoever puts them again holds the right ones.
    const held = await this.holdsIntact(hash);
    await this.attempt(`storing blob ${hash}`, async () => {
      if (!held) await this.write(folders.second, hash, bytes);
      // Forced even for a blob that was there: whoever wrote it may not have got this far yet.
      await this.files.syncFolder(folders.second);
      await this.files.syncFolder(folders.first);
      await this.files.syncFolder(this.folder);
    });
    return hash;
  }

  async get(hash: string): Promise<Uint8Array> {
    const bytes = await this.attempt(
      `reading blob ${hash}`,
      () => this.files.readFile(this.pathOf(hash)),
      hash,
    );
    if (sha256(bytes) !== hash) {
      throw new StorageError(
        'CORRUPT',
        `The stored bytes of blob ${hash} are not the ones that were put there.`,
      );
    }
    return bytes;
  }

  async has(hash: string): Promise<boolean> {
    const path = this.pathOf(hash);
    try {
      await this.files.size(path);
      return true;
    } catch (error) {
      if (isAbsent(error)) return false;
      throw fromSystem(error, `looking for blob ${hash}`);
    }
  }

  private async write(folder: string, hash: string, bytes: Uint8Array): Promise<void> {
    const temporary = join(this.folder, 'incoming', randomUUID());
    try {
      await this.files.mkdir(folder);
      await this.files.writeDurably(temporary, bytes);
      await this.files.rename(temporary, join(folder, hash));
    } catch (error) {
      await this.files.unlink(temporary).catch(() => undefined);
      throw error;
    }
  }

  private async holdsIntact(hash: string): Promise<boolean> {
    try {
      await this.get(hash);
      return true;
    } catch (error) {
      if (error instanceof StorageError && (error.code === 'NOT_FOUND' || error.code === 'CORRUPT'))
        return false;
      throw error;
    }
  }

  private foldersOf(hash: string): { first: string; second: string } {
    const first = join(this.folder, hash.slice(0, 2));
    return { first, second: join(first, hash.slice(2, 4)) };
  }

  private pathOf(hash: string): string {
    // Also keeps a name from leading out of the folder.
    if (!HASH.test(hash)) {
      throw new StorageError('HASH_INVALID', 'A blob is named by 64 lower-case hexadecimal digits.');
    }
    return join(this.foldersOf(hash).second, hash);
  }

  private async attempt<T>(doing: string, work: () => Promise<T>, hash?: string): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof StorageError) throw error;
      if (hash !== undefined && isAbsent(error)) {
        throw new StorageError('NOT_FOUND', `Blob ${hash} is not in the store.`, { cause: error });
      }
      throw fromSystem(error, doing);
    }
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function isAbsent(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
