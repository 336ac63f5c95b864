import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { ClientError } from '../errors.js';

/**
 * Reads a data file whose bytes are known, and unpacks it where it is a gzip file.
 *
 * @param path - the file.
 * @param sha256 - the SHA-256 that its bytes may have, in hexadecimal (of the packed file or of the plain one).
 * @returns the plain bytes.
 * @throws ClientError `FILE_MISSING`, `FILE_ALTERED`.
 */
export async function readCheckedFile(path: string, sha256: readonly string[]): Promise<Uint8Array> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw new ClientError('FILE_MISSING', `The data file ${path} is missing or cannot be read.`, { cause });
  }
  const found = createHash('sha256').update(bytes).digest('hex');
  if (!sha256.includes(found)) {
    throw new ClientError(
      'FILE_ALTERED',
      `The data file ${path} is not the expected one: its SHA-256 is ${found} instead of ${sha256.join(' or ')}.`,
    );
  }
  return isGzip(bytes) ? gunzipSync(bytes) : bytes;
}

/** Says whether the bytes start like a gzip file (RFC 1952). */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}
