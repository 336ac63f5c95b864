/**
 * Blob: what is stored, hashed and carried by a network. A header of 104 bytes (magic, version, kind, parameter set
 * id, epoch id), then the body; the blob's name is SHA-256 over all of it.
 *
 * | offset | bytes | field |
 * |---|---|---|
 * | 0 | 4 | magic "SSHB" |
 * | 4 | 1 | version, 1 |
 * | 5 | 1 | kind |
 * | 6 | 1 | length of the epoch id, 1 to 64 |
 * | 7 | 1 | zero |
 * | 8 | 32 | parameter set id |
 * | 40 | 64 | epoch id, ASCII, zero to the end |
 */
import { FheError } from '../errors.js';
import { fromHex, sha256Hex, toHex } from './canonical.js';

const kinds = {
  ciphertext: 1,
  publicKey: 2,
  relinKeys: 3,
  ceremony: 4,
  manifest: 5,
  share: 6,
  vectorShare: 7,
} as const;
export type BlobKind = keyof typeof kinds;

export interface BlobHeader {
  readonly kind: BlobKind;
  /** Hex, 64 digits. */
  readonly parameterSetId: string;
  /** 1 to 64 characters of A-Z a-z 0-9 . _ : - */
  readonly epochId: string;
}

const magic = [0x53, 0x53, 0x48, 0x42];
const version = 1;
const idOffset = 8;
const epochOffset = 40;
const epochMaximum = 64;
/** Length of a blob's header, bytes. */
export const blobHeaderLength = 104;

const epochPattern = /^[A-Za-z0-9._:-]{1,64}$/;
const idPattern = /^[0-9a-f]{64}$/;

/** @throws FheError ARGUMENT_INVALID unless the text may name an epoch */
export function requireEpochId(epochId: string): string {
  if (!epochPattern.test(epochId)) {
    throw new FheError('ARGUMENT_INVALID', 'An epoch id has 1 to 64 characters of A-Z a-z 0-9 . _ : -.');
  }
  return epochId;
}

/** @throws FheError ARGUMENT_INVALID for a header that has no form */
export function encodeBlob(header: BlobHeader, body: Uint8Array): Uint8Array {
  requireEpochId(header.epochId);
  if (!idPattern.test(header.parameterSetId)) {
    throw new FheError('ARGUMENT_INVALID', 'A parameter set id has 64 hexadecimal digits.');
  }
  const bytes = new Uint8Array(blobHeaderLength + body.length);
  bytes.set(magic);
  bytes.set([version, kinds[header.kind], header.epochId.length, 0], magic.length);
  bytes.set(fromHex(header.parameterSetId), idOffset);
  bytes.set(new TextEncoder().encode(header.epochId), epochOffset);
  bytes.set(body, blobHeaderLength);
  return bytes;
}

/**
 * Reads a blob's header without expectations.
 *
 * @throws FheError BLOB_MALFORMED
 */
export function readBlobHeader(bytes: Uint8Array): BlobHeader {
  const malformed = (what: string): FheError => new FheError('BLOB_MALFORMED', `Not a blob: ${what}.`);
  if (bytes.length < blobHeaderLength) throw malformed('it is shorter than its header');
  if (magic.some((byte, i) => bytes[i] !== byte)) throw malformed('the magic differs');
  if (bytes[4] !== version) throw malformed(`version ${String(bytes[4])} is not known`);
  const kind = (Object.keys(kinds) as BlobKind[]).find((name) => kinds[name] === bytes[5]);
  if (!kind) throw malformed('the kind is not known');
  const length = bytes[6] ?? 0;
  if (length < 1 || length > epochMaximum || bytes[7] !== 0) throw malformed('the header is damaged');
  const field = bytes.subarray(epochOffset, blobHeaderLength);
  if (field.subarray(length).some((byte) => byte !== 0))
    throw malformed('the epoch id is not padded by zeros');
  const epochId = String.fromCharCode(...field.subarray(0, length));
  if (!epochPattern.test(epochId)) throw malformed('the epoch id has other characters');
  return { kind, parameterSetId: toHex(bytes.subarray(idOffset, epochOffset)), epochId };
}

/**
 * Checks a blob's header against what is expected and returns the body, a view of the blob.
 *
 * @throws FheError BLOB_MALFORMED, PARAMETER_SET_MISMATCH, EPOCH_MISMATCH
 */
export function decodeBlob(bytes: Uint8Array, expected: BlobHeader): Uint8Array {
  const header = readBlobHeader(bytes);
  if (header.kind !== expected.kind) {
    throw new FheError(
      'BLOB_MALFORMED',
      `A blob of kind ${expected.kind} was expected, this is ${header.kind}.`,
    );
  }
  if (header.parameterSetId !== expected.parameterSetId) {
    throw new FheError('PARAMETER_SET_MISMATCH', 'The blob belongs to another parameter set.');
  }
  if (header.epochId !== expected.epochId) {
    throw new FheError(
      'EPOCH_MISMATCH',
      `The blob belongs to epoch ${header.epochId}, not ${expected.epochId}.`,
    );
  }
  return bytes.subarray(blobHeaderLength);
}

/** Hex SHA-256 over the whole blob: its name. */
export function blobHash(bytes: Uint8Array): string {
  return sha256Hex(bytes);
}
