import { createHash, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { ObjectStore, OpenBlob } from './blob-store.js';
import { StorageError, fromSystem, isAbsent } from './errors.js';
import { nodeFileSystem, type FileSystem } from './file-system.js';

const HASH = /^[0-9a-f]{64}$/;
const FOLDER = /^[0-9a-f]{2}$/;

/** Whether a text can name a blob. */
export const isBlobName = (text: string): boolean => HASH.test(text);

/**
 * An {@link ObjectStore} in 256 folders: `ab/abcd...`, of which each stays below what file systems like up to millions
 * of blobs. A blob is written under a temporary name, forced to the disk, renamed, and its folder forced too: a reader
 * sees all of a blob or nothing, and what `put` acknowledged survives a power cut.
 */
export class FileBlobStore implements ObjectStore {
  /** Folders that this store forced into the one above them. */
  private readonly forced = new Set<string>();

  private constructor(
    private readonly folder: string,
    private readonly files: FileSystem,
  ) {}

  /**
   * Opens the store, making its folder (readable by its owner alone) where it is not there. Whether its blobs lie as
   * earlier versions kept them is looked up in one folder here, and in every folder that {@link hashes} lists.
   *
   * @throws StorageError `STORE_OUTDATED`, `NO_SPACE`, `IO`.
   */
  static async open(folder: string, files: FileSystem = nodeFileSystem): Promise<FileBlobStore> {
    const store = new FileBlobStore(folder, files);
    await store.attempt('opening the store', async () => {
      const part = (await files.list(folder)).find((name) => FOLDER.test(name));
      if (part !== undefined) store.requireBlobs(await files.list(join(folder, part)));
      await files.mkdir(store.incoming);
    });
    return store;
  }

  /** Removes what uploads left that a crash cut off; call it when no other process writes into the folder. */
  async clearIncoming(): Promise<void> {
    await this.attempt('clearing unfinished uploads', async () => {
      for (const name of await this.files.list(this.incoming))
        await this.files.unlink(join(this.incoming, name));
    });
  }

  async put(bytes: Uint8Array): Promise<string> {
    const hash = sha256(bytes);
    await this.keep(hash, () => this.write(hash, bytes));
    return hash;
  }

  async receive(hash: string, parts: AsyncIterable<Uint8Array>, maximumBytes: number): Promise<number> {
    this.pathOf(hash);
    const temporary = join(this.incoming, randomUUID());
    const digest = createHash('sha256');
    let length = 0;
    try {
      const file = await this.attempt(`storing blob ${hash}`, async () => {
        await this.files.mkdir(this.incoming);
        return this.files.openAppend(temporary);
      });
      try {
        for await (const part of parts) {
          length += part.length;
          if (length > maximumBytes)
            throw new StorageError('TOO_LARGE', `A blob may have at most ${maximumBytes} bytes.`);
          digest.update(part);
          await this.attempt(`storing blob ${hash}`, () => file.append(part));
        }
        await this.attempt(`storing blob ${hash}`, () => file.sync());
      } finally {
        await file.close();
      }
      if (digest.digest('hex') !== hash)
        throw new StorageError('CORRUPT', `The bytes that came are not those of blob ${hash}.`);
      await this.keep(hash, () => this.move(temporary, hash));
      return length;
    } finally {
      await this.files.unlink(temporary).catch(() => undefined);
    }
  }

  async get(hash: string): Promise<Uint8Array> {
    const path = this.pathOf(hash);
    const bytes = await this.attempt(`reading blob ${hash}`, () => this.files.readFile(path), hash);
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

  async open(hash: string): Promise<OpenBlob> {
    const path = this.pathOf(hash);
    return this.attempt(`reading blob ${hash}`, () => this.files.openRead(path), hash);
  }

  async *hashes(): AsyncIterable<string> {
    const list = (path: string): Promise<string[]> =>
      this.attempt('listing blobs', () => this.files.list(path));
    for (const part of (await list(this.folder)).filter((name) => FOLDER.test(name))) {
      const names = await list(join(this.folder, part));
      this.requireBlobs(names);
      for (const name of names) if (HASH.test(name)) yield name;
    }
  }

  async remove(hash: string): Promise<void> {
    const path = this.pathOf(hash);
    await this.attempt(`deleting blob ${hash}`, async () => {
      await this.files.unlink(path).catch((error: unknown) => {
        if (!isAbsent(error)) throw error;
      });
      await this.files.syncFolder(this.folderOf(hash)).catch((error: unknown) => {
        if (!isAbsent(error)) throw error;
      });
    });
  }

  /** Earlier versions kept blobs a folder deeper: `ab/cd/abcd...`. */
  private requireBlobs(names: readonly string[]): void {
    if (names.some((name) => FOLDER.test(name)))
      throw new StorageError(
        'STORE_OUTDATED',
        `The store ${this.folder} has blobs a folder deeper than this version reads: docs/hospitals.md says under ` +
          `"When something fails" how they are moved up.`,
      );
  }

  private get incoming(): string {
    return join(this.folder, 'incoming');
  }

  private async keep(hash: string, write: () => Promise<void>): Promise<void> {
    // Bytes that rotted on the disk are replaced: whoever puts them again holds the right ones.
    const held = (await checkBlob(this, hash)) === 'intact';
    await this.attempt(`storing blob ${hash}`, async () => {
      if (!held) await write();
      const folder = this.folderOf(hash);
      // Forced even for a blob that was there: whoever wrote it may not have got this far yet.
      await this.files.syncFolder(folder);
      if (this.forced.has(folder)) return;
      await this.files.syncFolder(this.folder);
      this.forced.add(folder);
    });
  }

  private async write(hash: string, bytes: Uint8Array): Promise<void> {
    const temporary = join(this.incoming, randomUUID());
    try {
      await this.files.writeDurably(temporary, bytes);
      await this.move(temporary, hash);
    } catch (error) {
      await this.files.unlink(temporary).catch(() => undefined);
      throw error;
    }
  }

  private async move(temporary: string, hash: string): Promise<void> {
    const folder = this.folderOf(hash);
    const path = join(folder, hash);
    await this.files.rename(temporary, path).catch(async (error: unknown) => {
      if (!isAbsent(error)) throw error;
      this.forced.delete(folder);
      await this.files.mkdir(folder);
      await this.files.rename(temporary, path);
    });
  }

  private folderOf(hash: string): string {
    return join(this.folder, hash.slice(0, 2));
  }

  private pathOf(hash: string): string {
    // Also keeps a name from leading out of the folder.
    if (!HASH.test(hash)) {
      throw new StorageError('HASH_INVALID', 'A blob is named by 64 lower-case hexadecimal digits.');
    }
    return join(this.folderOf(hash), hash);
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

/** How many bytes are read at once where a blob is not needed as a whole. */
export const PART_BYTES = 64 * 1024;

/** The state of a blob, read in parts. */
export async function checkBlob(
  store: Pick<ObjectStore, 'open'>,
  hash: string,
): Promise<'intact' | 'damaged' | 'missing'> {
  let blob: OpenBlob;
  try {
    blob = await store.open(hash);
  } catch (error) {
    if (error instanceof StorageError && error.code === 'NOT_FOUND') return 'missing';
    throw error;
  }
  try {
    const digest = createHash('sha256');
    for (let position = 0; position < blob.size;) {
      const part = await blob.read(position, PART_BYTES);
      if (part.length === 0) return 'damaged';
      digest.update(part);
      position += part.length;
    }
    return digest.digest('hex') === hash ? 'intact' : 'damaged';
  } catch (error) {
    // A sector that cannot be read any more is damage, too.
    if ((error as NodeJS.ErrnoException).code === 'EIO') return 'damaged';
    throw fromSystem(error, `checking blob ${hash}`);
  } finally {
    await blob.close();
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
