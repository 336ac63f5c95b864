import { mkdir, open, readFile, rename, stat, unlink } from 'node:fs/promises';

/** The few calls that the store makes of a file system, so that a test can put faults between them. */
export interface FileSystem {
  mkdir(path: string): Promise<void>;
  /** Writes a new file (it must not exist) and forces it to the disk. */
  writeDurably(path: string, bytes: Uint8Array): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Forces a folder's entries to the disk, so that a rename survives a power cut. */
  syncFolder(path: string): Promise<void>;
  readFile(path: string): Promise<Uint8Array>;
  /** The size in bytes. */
  size(path: string): Promise<number>;
  unlink(path: string): Promise<void>;
}

const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;

/** The file system of `node:fs`. */
export const nodeFileSystem: FileSystem = {
  async mkdir(path) {
    await mkdir(path, { recursive: true, mode: PRIVATE_FOLDER });
  },
  async writeDurably(path, bytes) {
    const file = await open(path, 'wx', PRIVATE_FILE);
    try {
      await file.writeFile(bytes);
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
  async size(path) {
    return (await stat(path)).size;
  },
  unlink,
};
