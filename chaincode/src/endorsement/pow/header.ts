/**
 * A block's header, 124 bytes, integers little-endian:
 *
 * | offset | bytes | field |
 * |---|---|---|
 * | 0 | 4 | version, 1 |
 * | 4 | 4 | height |
 * | 8 | 32 | hash of the header before |
 * | 40 | 32 | Merkle root of the batch (RFC 6962) |
 * | 72 | 32 | SHA-256 of the miner's MSP ID |
 * | 104 | 8 | timestamp, milliseconds since 1970 |
 * | 112 | 4 | compact target |
 * | 116 | 8 | nonce |
 *
 * Its hash is SHA-256 of SHA-256 of these bytes. The miner is inside, so that work cannot be taken over.
 */
import { hash } from 'node:crypto';

export const HEADER_BYTES = 124;
export const NONCE_OFFSET = 116;
export const VERSION = 1;

export interface Header {
  readonly version: number;
  readonly height: number;
  /** Hexadecimal, as all hashes here. */
  readonly previous: string;
  readonly merkleRoot: string;
  /** {@link minerId} of the miner. */
  readonly miner: string;
  readonly timestamp: number;
  readonly target: number;
  readonly nonce: bigint;
}

/** The miner's place in a header. */
export const minerId = (mspId: string): string => hash('sha256', mspId);

export function encodeHeader(header: Header): Uint8Array {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.writeUInt32LE(header.version, 0);
  bytes.writeUInt32LE(header.height, 4);
  bytes.write(header.previous, 8, 'hex');
  bytes.write(header.merkleRoot, 40, 'hex');
  bytes.write(header.miner, 72, 'hex');
  bytes.writeBigUInt64LE(BigInt(header.timestamp), 104);
  bytes.writeUInt32LE(header.target, 112);
  bytes.writeBigUInt64LE(header.nonce, NONCE_OFFSET);
  return bytes;
}

/** @returns undefined unless there are {@link HEADER_BYTES} bytes with a timestamp that a date can hold. */
export function decodeHeader(bytes: Uint8Array): Header | undefined {
  if (bytes.length !== HEADER_BYTES) return undefined;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const timestamp = buffer.readBigUInt64LE(104);
  if (timestamp > 8_640_000_000_000_000n) return undefined;
  return {
    version: buffer.readUInt32LE(0),
    height: buffer.readUInt32LE(4),
    previous: buffer.toString('hex', 8, 40),
    merkleRoot: buffer.toString('hex', 40, 72),
    miner: buffer.toString('hex', 72, 104),
    timestamp: Number(timestamp),
    target: buffer.readUInt32LE(112),
    nonce: buffer.readBigUInt64LE(NONCE_OFFSET),
  };
}

/** Double SHA-256, hexadecimal. */
export const headerHash = (bytes: Uint8Array): string => hash('sha256', hash('sha256', bytes, 'buffer'));
