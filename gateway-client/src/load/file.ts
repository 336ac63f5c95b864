import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { PassThrough, pipeline, Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { ClientError } from '../errors.js';
import { isGzip } from './checked-file.js';

/** A table's bytes, and how much of its file has been read. */
export interface TableFile {
  /** Unpacked, where the file is packed by gzip. */
  bytes: AsyncIterable<Uint8Array>;
  size: number;
  /** Bytes of the file so far. */
  read: () => number;
}

/**
 * Opens a table to be read piece by piece.
 *
 * @throws ClientError `FILE_MISSING`.
 */
export async function openTable(path: string): Promise<TableFile> {
  const { size, packed } = await lookAt(path);
  let read = 0;
  const counted = new Transform({
    transform(piece: Uint8Array, _, done) {
      read += piece.length;
      done(null, piece);
    },
  });
  // An error on the way destroys the last stream, whose reader then gets it.
  const bytes = pipeline(
    createReadStream(path),
    counted,
    packed ? createGunzip() : new PassThrough(),
    () => undefined,
  );
  return { bytes, size, read: () => read };
}

async function lookAt(path: string): Promise<{ size: number; packed: boolean }> {
  try {
    await using file = await open(path);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return { size: (await file.stat()).size, packed: isGzip(buffer.subarray(0, bytesRead)) };
  } catch (cause) {
    throw new ClientError('FILE_MISSING', `The table ${path} is missing or cannot be read.`, { cause });
  }
}
