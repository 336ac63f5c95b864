import { open, readFile, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Encrypts one entry of a log, or decrypts it; the position is authenticated with it. */
export interface EntryCipher {
  seal(entry: Uint8Array, position: number): Uint8Array;
  open(sealed: Uint8Array, position: number): Uint8Array;
}

const LENGTH_BYTES = 4;
const PRIVATE_FILE = 0o600;

/**
 * A file of sealed entries that only grows. An entry whose writing was cut short was never acknowledged: it is cut off
 * when the log is opened. Entries cannot be altered, exchanged or taken out of the middle unseen; whoever can write to
 * the disk can put back an older file as a whole.
 */
export class VaultLog {
  private constructor(
    private readonly path: string,
    private readonly cipher: EntryCipher,
    private position: number,
  ) {}

  /** Opens a log, making an empty one where there is none, and reads its entries. */
  static async open(path: string, cipher: EntryCipher): Promise<{ log: VaultLog; entries: Uint8Array[] }> {
    const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    const entries: Uint8Array[] = [];
    let offset = 0;
    while (bytes && offset + LENGTH_BYTES <= bytes.length) {
      const end = offset + LENGTH_BYTES + bytes.readUInt32LE(offset);
      if (end > bytes.length) break;
      entries.push(cipher.open(bytes.subarray(offset + LENGTH_BYTES, end), entries.length));
      offset = end;
    }
    if (bytes && offset < bytes.length) await truncate(path, offset);
    return { log: new VaultLog(path, cipher, entries.length), entries };
  }

  /** Adds an entry; when the promise resolves, it survives a power cut. One call after another. */
  async append(entry: Uint8Array): Promise<void> {
    const sealed = this.cipher.seal(entry, this.position);
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32LE(sealed.length);
    const file = await open(this.path, 'a', PRIVATE_FILE);
    try {
      await file.writeFile(Buffer.concat([length, sealed]));
      await file.sync();
    } finally {
      await file.close();
    }
    if (this.position === 0) await syncFolder(dirname(this.path));
    this.position += 1;
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
