import { mkdir, open, readFile, readdir, rename, stat, unlink } from 'node:fs/promises';
import { DirectWriter } from './direct-write.js';

/** A file that is open for reading in parts. */
export interface OpenedFile {
  readonly size: number;
  /** At most `length` bytes from `position`; fewer at the end, none behind it. */
  read(position: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** A file that grows at its end. */
export interface GrowingFile {
  /** Bytes that are in it now. */
  readonly size: number;
  append(bytes: Uint8Array): Promise<void>;
  /** Forces what was appended to the disk. */
  sync(): Promise<void>;
  truncate(size: number): Promise<void>;
  close(): Promise<void>;
}

/** The few calls that the stores make of a file system, so that a test can put faults between them. */
export interface FileSystem {
  mkdir(path: string): Promise<void>;
  /** Writes a new file (it must not exist) and forces it to the disk. */
  writeDurably(path: string, bytes: Uint8Array): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Forces a folder's entries to the disk, so that a rename survives a power cut. */
  syncFolder(path: string): Promise<void>;
  readFile(path: string): Promise<Uint8Array>;
  openRead(path: string): Promise<OpenedFile>;
  /** Opens a file at its end, making it (for its owner alone) where it is not there. */
  openAppend(path: string): Promise<GrowingFile>;
  /** Names in a folder; none where there is no folder. */
  list(path: string): Promise<string[]>;
  /** The size in bytes. */
  size(path: string): Promise<number>;
  unlink(path: string): Promise<void>;
}

const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;
/** Files from this size on do not go through the page cache. */
const LARGE_BYTES = 2 ** 18;
const direct = new DirectWriter();

/** The file system of `node:fs`. */
export const nodeFileSystem: FileSystem = {
  async mkdir(path) {
    await mkdir(path, { recursive: true, mode: PRIVATE_FOLDER });
  },
  async writeDurably(path, bytes) {
    if (bytes.length >= LARGE_BYTES && (await direct.write(path, bytes, PRIVATE_FILE))) return;
    const file = await open(path, 'wx', PRIVATE_FILE);
    try {
      // At once where the system takes it: `writeFile` of a handle cuts into small pieces.
      for (let written = 0; written < bytes.length;)
        written += (await file.write(bytes, written)).bytesWritten;
      await file.sync();
    } finally {
      await file.close();
    }
  },
  rename,
  async syncFolder(path) {
    const folder = await open(path, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  },
  readFile: (path) => readFile(path),
  async openRead(path) {
    const file = await open(path, 'r');
    const { size } = await file.stat();
    return {
      size,
      async read(position, length) {
        const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(length, size - position)));
        const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
        return buffer.subarray(0, bytesRead);
      },
      close: () => file.close(),
    };
  },
  async openAppend(path) {
    const file = await open(path, 'a', PRIVATE_FILE);
    let { size } = await file.stat();
    return {
      get size() {
        return size;
      },
      async append(bytes) {
        await file.appendFile(bytes);
        size += bytes.length;
      },
      sync: () => file.datasync(),
      async truncate(to) {
        await file.truncate(to);
        size = to;
      },
      close: () => file.close(),
    };
  },
  async list(path) {
    try {
      return await readdir(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  },
  async size(path) {
    return (await stat(path)).size;
  },
  unlink,
};

/**
 * Replaces a small file as a whole: readers see the old content or the new one, and after the promise resolves the
 * new one survives a power cut.
 */
export async function replaceFile(
  files: FileSystem,
  folder: string,
  name: string,
  bytes: Uint8Array,
): Promise<void> {
  const temporary = `${folder}/${name}.new`;
  await files.unlink(temporary).catch(() => undefined);
  await files.writeDurably(temporary, bytes);
  await files.rename(temporary, `${folder}/${name}`);
  await files.syncFolder(folder);
}
