/** Canonical bytes and their hashes: RFC 8785 JSON and SHA-256. */
import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { FheError } from '../errors.js';

/**
 * Canonical JSON (RFC 8785) of a plain value.
 *
 * @throws FheError ARGUMENT_INVALID where the value has no JSON form
 */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new FheError('ARGUMENT_INVALID', 'The value has no canonical JSON form.');
  return text;
}

export function sha256(...parts: (string | Uint8Array)[]): Uint8Array {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

export function sha256Hex(...parts: (string | Uint8Array)[]): string {
  return toHex(sha256(...parts));
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

export function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}
