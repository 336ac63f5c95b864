/** Large new files past the page cache: a table's ciphertexts are gigabytes that would push out all that is read. */
import { constants } from 'node:fs';
import { open, unlink, type FileHandle } from 'node:fs/promises';

/** What position, length and memory of a direct write are multiples of: no disk has larger blocks (open(2), O_DIRECT). */
const ALIGNMENT = 4096;
/** Of 64 KiB; a buffer takes what a ciphertext and its header have. */
const BUFFER_PAGES = 17;
/** As many as Node has threads for files, unless told otherwise. */
const BUFFERS = 4;

/** TypeScript knows it among the browser's types only. */
const { WebAssembly } = globalThis as unknown as {
  WebAssembly: { Memory: new (pages: { initial: number; maximum: number }) => { buffer: ArrayBuffer } };
};

/** A buffer that one write at a time goes through. */
interface Lane {
  readonly buffer: Uint8Array;
  /** Resolves when all that was begun with the buffer has ended. */
  free: Promise<unknown>;
}

/**
 * Writes files without the page cache where the system lets it. The bytes are copied to memory that is aligned as the
 * system wants it: that of WebAssembly, which begins at a page; what JavaScript's own buffers begin at, nobody says.
 */
export class DirectWriter {
  private readonly lanes: Lane[] = [];
  private begun = 0;

  /** @param openFile - opens by path, flags and mode. */
  constructor(private readonly openFile: typeof open = open) {}

  /**
   * Writes a new file (it must not exist) and forces it to the disk.
   *
   * @returns false where this cannot be done directly: there is no file then.
   */
  async write(path: string, bytes: Uint8Array, mode: number): Promise<boolean> {
    // Only Linux has the flag.
    const direct = (constants as { O_DIRECT?: number }).O_DIRECT;
    if (direct === undefined) return false;
    let file: FileHandle;
    try {
      file = await this.openFile(
        path,
        constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | direct,
        mode,
      );
    } catch (error) {
      if (!isUnsupported(error)) throw error;
      // A system that knows the flag, and a file system that does not: the file may have been made.
      await unlink(path).catch(() => undefined);
      return false;
    }
    let whole: boolean;
    try {
      whole = await this.copy(file, bytes);
      if (whole) {
        await file.truncate(bytes.length);
        await file.sync();
      }
    } finally {
      await file.close();
    }
    if (!whole) await unlink(path);
    return whole;
  }

  /** Writes the bytes and zeros to the end of the last block; false where the system took only some of them. */
  private async copy(file: FileHandle, bytes: Uint8Array): Promise<boolean> {
    for (let position = 0; position < bytes.length;) {
      const length = await this.withBuffer(async (buffer) => {
        const part = bytes.subarray(position, position + buffer.length);
        const blocks = Math.ceil(part.length / ALIGNMENT) * ALIGNMENT;
        buffer.set(part);
        buffer.fill(0, part.length, blocks);
        try {
          const { bytesWritten } = await file.write(buffer, 0, blocks, position);
          return bytesWritten === blocks ? part.length : 0;
        } catch (error) {
          if (isUnsupported(error)) return 0;
          throw error;
        }
      });
      if (length === 0) return false;
      position += length;
    }
    return true;
  }

  /** Runs a piece of work when a buffer is free for it, in the order of asking. */
  private withBuffer<T>(work: (buffer: Uint8Array) => Promise<T>): Promise<T> {
    const lane = (this.lanes[this.begun++ % BUFFERS] ??= {
      buffer: alignedBuffer(),
      free: Promise.resolve(),
    });
    const done = lane.free.then(() => work(lane.buffer));
    lane.free = done.catch(() => undefined);
    return done;
  }
}

function alignedBuffer(): Uint8Array {
  return new Uint8Array(new WebAssembly.Memory({ initial: BUFFER_PAGES, maximum: BUFFER_PAGES }).buffer);
}

function isUnsupported(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EINVAL' || code === 'EOPNOTSUPP';
}
