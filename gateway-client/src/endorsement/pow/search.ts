import { hash } from 'node:crypto';
import { NONCE_OFFSET } from '@strokeshare/chaincode';

/**
 * Tries nonces in order, from the header's own on; where none fits, the header is left at the next one.
 *
 * @param header - its nonce is changed in place; after a find it is the one that fits.
 * @param target - 32 bytes, big-endian.
 * @returns how many hashes were tried, and whether the last of them is below the target.
 */
export function search(
  header: Buffer,
  target: Uint8Array,
  count: number,
): { readonly tried: number; readonly found: boolean } {
  let low = header.readUInt32LE(NONCE_OFFSET);
  for (let tried = 1; tried <= count; tried++) {
    if (Buffer.compare(hash('sha256', hash('sha256', header, 'buffer'), 'buffer'), target) < 0)
      return { tried, found: true };
    low = (low + 1) >>> 0;
    header.writeUInt32LE(low, NONCE_OFFSET);
    if (low === 0) header.writeUInt32LE((header.readUInt32LE(NONCE_OFFSET + 4) + 1) >>> 0, NONCE_OFFSET + 4);
  }
  return { tried: count, found: false };
}

/** A target as {@link search} compares it. */
export const targetBytes = (target: bigint): Buffer =>
  Buffer.from(target.toString(16).padStart(64, '0'), 'hex');
