/** Digests over canonical JSON (RFC 8785): the one text that is hashed, signed and kept on the ledger. */
import { canonicalJson, sha256Hex } from '@strokeshare/fhe';

/** SHA-256 over the canonical JSON, hexadecimal. */
export const digestOf = (value: unknown): string => sha256Hex(canonicalJson(value));

/** Order of UTF-16 code units: the same everywhere, unlike a locale's. */
export const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
