/** Canonical JSON (RFC 8785): the one text that hashes and signatures are taken over, and that the ledger holds. */
import { createHash } from 'node:crypto';
import serialize from 'canonicalize';

/** @throws TypeError for values that JSON has no text for. */
export function canonicalJson(value: unknown): string {
  const text = serialize(value);
  if (text === undefined) throw new TypeError('The value has no JSON text.');
  return text;
}

export function sha256Hex(...parts: (Uint8Array | string)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

/** SHA-256 over the canonical JSON, hexadecimal. */
export const digestOf = (value: unknown): string => sha256Hex(canonicalJson(value));

/** Order of UTF-16 code units: the same everywhere, unlike a locale's. */
export const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
